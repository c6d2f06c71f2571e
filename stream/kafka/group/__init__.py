"""A worker's membership in its consumer group: its partitions, the records fetched from them, and its offsets."""
