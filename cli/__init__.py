"""The `hookstream` command: the system from a terminal."""
