"""Events: their records, topics, ids and encoding, and the worker that processes each with an effect exactly once."""
