"""Benchmarks: run by hand with ``make bench``."""
