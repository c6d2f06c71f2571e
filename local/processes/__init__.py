"""Starts, restarts and stops the processes of one run, and leaves none behind."""
