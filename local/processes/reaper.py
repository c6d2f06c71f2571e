"""Waits beside a supervisor for its death, however it comes, and ends what outlived it.

The leash ends our children, but not theirs, such as a web server's worker processes.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.paths import Paths
from local.processes import orphan_processes


@contextmanager
def guarded(place: Paths) -> Iterator[None]:
    """The guard holds one end of a pipe; when the other end is closed, we are gone or have done our work."""
    argv = [sys.executable, "-S", "-m", "local.processes.reaper", str(place.root), str(place.run)]
    with subprocess.Popen(argv, cwd=place.root, stdin=subprocess.PIPE, start_new_session=True) as guard:
        try:
            yield
        finally:
            guard.communicate()


def main() -> None:
    root, run = sys.argv[1:]
    sys.stdin.read()
    orphan_processes.sweep(Paths(Path(root), Path(run)))


if __name__ == "__main__":
    main()
