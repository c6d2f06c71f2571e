"""What an operator sees of a worker: metrics, lag and ages, and a log line per event."""
