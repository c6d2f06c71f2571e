"""What every service needs to be configured, watched and stopped; knows no service."""

__version__ = "0.1.0"
