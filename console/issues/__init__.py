"""Issues: the dead events of a service, grouped by the cause and the first line of their error."""
