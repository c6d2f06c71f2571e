"""Configuration, health, logging, metrics and shutdown for every service; imports no service."""

__version__ = "0.1.0"
