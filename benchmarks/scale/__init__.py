"""Benchmarks of snippets/scale."""
