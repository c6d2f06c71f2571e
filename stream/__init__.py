"""How events travel: their records, topics, ids and bytes, and the loop that applies each exactly once in effect."""
