"""Benchmarks of snippets/modeling."""
