"""The signs of a worker's work for operators: metrics, lag and ages, and a log line per event."""
