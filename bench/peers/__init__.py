"""What most people would write for the same task, measured beside hookstream; see docs/benchmarks.md."""
