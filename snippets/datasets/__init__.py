"""The two logs that carry the guide."""
