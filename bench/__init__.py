"""Benchmarks. Each measures a limit in the same run, and CPU per unit, because seconds on a shared machine vary."""

import os
import sys

# The number that `make run` uses. Topics read it at import, in this process and in those it starts.
# Tests import topics before they import a benchmark, and keep their own number.
if "stream.events.topics" not in sys.modules:
    os.environ.setdefault("TOPIC_PARTITIONS", "3")
