"""Benchmarks of snippets/evaluation."""
