"""The schema of a service's store: its migrations, and the views with the names of contract A."""
