"""Benchmarks of snippets/features."""
