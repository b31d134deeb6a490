"""Training Data."""
