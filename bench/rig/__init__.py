"""Shared parts of the benchmarks: the system under test, open-loop load, figures and the page."""
