"""The commands of `hookstream`, one module for each command or group."""
