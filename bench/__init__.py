"""Measurements, each beside its limit in one run: CPU per unit, because seconds on a shared machine say little."""

import os

os.environ.setdefault("TOPIC_PARTITIONS", "3")  # as `make run` has them; read when topics are imported, here and in children
