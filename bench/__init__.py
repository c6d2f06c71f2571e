"""Measurements, each beside its limit in one run: CPU per unit, because seconds on a shared machine say little."""

import os

# As `make run` has them; they are read when topics are imported, here and in the processes that are started from here.
os.environ.setdefault("TOPIC_PARTITIONS", "3")
