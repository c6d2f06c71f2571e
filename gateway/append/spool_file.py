"""The files of the spool: frames of (length, CRC-32, payload) in one, the position of the next frame in the other.

Every function that reads or writes a file raises OSError if the disk refuses it.
"""

import fcntl
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

HEADER = struct.Struct(">II")
PROBE_BYTES = 4_096


def frame(payload: bytes) -> bytes:
    """Return the payload with its length and CRC-32 in front."""
    return HEADER.pack(len(payload), zlib.crc32(payload)) + payload


def open_locked(path: Path) -> IO[bytes]:
    """Open a file with an exclusive lock that lasts until it is closed. Raises OSError if another process has it."""
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as locked:
        file.close()
        raise OSError(locked.errno, f"another gateway uses the spool in {path.parent}") from locked
    return file


def recover(file: IO[bytes], saved_position: int) -> tuple[int, int]:
    """Cut off all from the first incomplete or damaged record on; return the length of the rest and a position.

    Reading begins at the position, which is the saved one, or 0 if that is within a record or behind the end:
    Kafka then gets some records twice.
    """
    end, is_valid = 0, saved_position == 0
    for _, end in frames(file, 0, os.fstat(file.fileno()).st_size):
        is_valid = is_valid or end == saved_position
    file.truncate(end)
    return end, saved_position if is_valid else 0


def frames(file: IO[bytes], position: int, end: int) -> Iterator[tuple[bytes, int]]:
    """Yield the payloads from `position` to `end`, each with the position after it; stop at a broken frame."""
    while position + HEADER.size <= end:
        length, checksum = HEADER.unpack(os.pread(file.fileno(), HEADER.size, position))
        payload = os.pread(file.fileno(), length, position + HEADER.size)
        if len(payload) != length or zlib.crc32(payload) != checksum:
            return
        position += HEADER.size + length
        yield payload, position


def write_at(file: IO[bytes], position: int, data: bytes) -> None:
    """Write all of `data` at `position` and fsync it. Raises OSError if the disk refuses it."""
    view = memoryview(data)
    while view:
        written = os.pwrite(file.fileno(), view, position)
        position, view = position + written, view[written:]
    os.fdatasync(file.fileno())


def read_position(path: Path) -> int:
    """Return the saved position; 0 if none is saved or the file is damaged."""
    try:
        return int(path.read_text())
    except (FileNotFoundError, ValueError):  # reading from the start only repeats records
        return 0


def sync(folder: Path) -> None:
    """Fsync a folder, which makes its entries durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_test_file(path: Path) -> None:
    """Write and delete a new file of PROBE_BYTES. An existing file has its blocks and would hide a full disk."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0) as file:
        try:
            write_at(file, 0, bytes(PROBE_BYTES))
        finally:
            path.unlink(missing_ok=True)


def save_position(path: Path, position: int) -> None:
    """Replace the saved position atomically, without fsync: after a power failure, an older one may be read.

    Raises OSError if the disk refuses it.
    """
    temporary = path.with_suffix(".new")
    temporary.write_text(str(position))
    temporary.replace(path)
