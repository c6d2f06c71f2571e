"""A small file system in memory that a test can fill; it needs the right to mount."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

SIZE = "2m"


@contextmanager
def a_small_disk(folder: Path) -> Iterator[Path]:
    """Mount a file system of SIZE on a new folder during the block; skip the test if that is not allowed."""
    folder.mkdir()
    mount = ["/bin/mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no disk may be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["/bin/umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, leave: int = 0) -> None:
    """Write a file that leaves `leave` bytes of room on the disk."""
    free = os.statvfs(disk)
    room = free.f_bavail * free.f_frsize - leave
    with suppress(OSError), (disk / "ballast").open("wb", buffering=0) as file:
        while room > 0:
            room -= file.write(bytes(min(room, 65_536)))
    with suppress(OSError), (disk / "ballast").open("ab", buffering=0) as file:
        while not leave:
            file.write(bytes(512))


def empty(disk: Path) -> None:
    """Delete the file that `fill` wrote."""
    (disk / "ballast").unlink()
