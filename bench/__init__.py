"""Measurements, each beside its limit in one run: CPU per unit, because seconds on a shared machine say little."""

import os
import sys

# As `make run` has them; they are read when topics are imported, here and in the processes that are started from here.
# Tests that import a benchmark have imported topics before, and their systems keep their own number.
if "stream.events.topics" not in sys.modules:
    os.environ.setdefault("TOPIC_PARTITIONS", "3")
