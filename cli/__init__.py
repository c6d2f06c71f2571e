"""The `hookstream` command line."""
