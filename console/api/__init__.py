"""What the console answers: queries over the log, as JSON."""
