"""The console's read-only API: queries over the log, answered as JSON."""
