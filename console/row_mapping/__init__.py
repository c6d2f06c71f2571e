"""Map records to rows of the log, by the names of the columns. Pure."""
