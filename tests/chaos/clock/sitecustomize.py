"""Shifts the clock of one service: `time.time` and `time.time_ns` add the number in the service's file.

Python imports this module at the start of every process that has its folder on PYTHONPATH. The file has the name of the
service's module and lies in the folder CLOCK_STEPS; it holds eight bytes, a double of seconds, that may change at any
time. A process without such a file keeps its clock.
"""

import mmap
import os
import struct
import sys
import time
from pathlib import Path


def _step() -> None:
    module = sys.orig_argv[2] if sys.orig_argv[1:2] == ["-m"] else ""
    path = Path(os.environ.get("CLOCK_STEPS", ""), module)
    if not module or not path.is_file():
        return
    with path.open("rb") as file:
        seconds = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    read, true, true_ns = struct.Struct("d").unpack_from, time.time, time.time_ns
    time.time = lambda: true() + read(seconds)[0]
    time.time_ns = lambda: true_ns() + int(read(seconds)[0] * 1e9)


_step()
