"""A process that waits for the end of its supervisor, even by SIGKILL, and then ends all processes of the run.

The launcher ends the supervisor's children, but not their children, such as a web server's worker processes.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.paths import Paths
from local.processes import orphan_processes


@contextmanager
def reaped(paths: Paths) -> Iterator[None]:
    """Run a reaper, which ends all processes of the run when the block or this process ends, even by SIGKILL."""
    argv = [sys.executable, "-S", "-m", "local.processes.reaper", str(paths.root), str(paths.run)]
    with subprocess.Popen(argv, cwd=paths.root, stdin=subprocess.PIPE, start_new_session=True) as reaper:
        try:
            yield
        finally:
            reaper.communicate()


def main() -> None:
    root, run = sys.argv[1:]
    sys.stdin.read()
    orphan_processes.sweep(Paths(Path(root), Path(run)))


if __name__ == "__main__":
    main()
