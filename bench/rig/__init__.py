"""What the benchmarks share: the system under load, open-loop load, figures and the page."""
