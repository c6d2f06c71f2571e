"""Benchmarks. Each also measures a limit or a peer in the same run, and CPU per unit, as seconds vary with the load."""

import os
import sys

# The number that `make run` uses. Topics read it at import, in this process and in those it starts.
# Tests import topics before they import a benchmark, and keep their own number.
if "stream.events.topics" not in sys.modules:
    os.environ.setdefault("TOPIC_PARTITIONS", "3")
