"""The queries of API and pages over the log. They only read, in the caller's transaction."""
