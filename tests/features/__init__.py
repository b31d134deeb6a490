"""Feature Engineering."""
