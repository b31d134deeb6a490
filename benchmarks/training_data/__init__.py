"""Benchmarks of snippets/training_data."""
