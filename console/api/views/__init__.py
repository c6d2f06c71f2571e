"""The API's JSON, made of rows of the log."""
