"""Topics and the schemas of their records."""
