"""`hookstream dead` and `retry`: failed events of all services."""
