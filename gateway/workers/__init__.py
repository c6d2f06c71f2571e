"""Several gateway processes on one port, and their supervisor."""
