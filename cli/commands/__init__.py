"""The commands of `hookstream`, one module each."""
