"""Benchmarks of snippets/problem."""
