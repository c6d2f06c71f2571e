"""Peers: common designs for the same task, measured in the same runs as hookstream; see docs/benchmarks.md."""
