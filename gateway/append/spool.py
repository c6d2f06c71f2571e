"""Where webhooks are kept while Kafka is away: a file of checksummed records, fsynced before anybody is answered 2xx.

A record is (length, CRC-32, bytes), so that one torn by a kill at any byte is found and cut off: nobody was told that
it is safe. Reading begins at the position last noted; what is appended to Kafka a second time has the same ids.

Every method here may meet a disk that is full or broken. None of them then loses a record that it was said to keep.
"""

import asyncio
import fcntl
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

import msgspec

HEADER = struct.Struct(">II")
PROBE_BYTES = 4_096
ROOM_BYTES = 1_048_576
"""With less room than this on its disk, a spool may not take the longest body."""


class Spooled(NamedTuple):
    """A record on its way to Kafka."""

    topic: str
    key: str
    value: bytes


class SpoolFull(Exception):
    """No more fits; what is refused was not kept."""


@dataclass(frozen=True, slots=True)
class State:
    """What waits in the spool."""

    records: int
    bytes: int
    max_bytes: int
    refused: str | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Spooled).decode


class Spool:
    """One locked file in `folder`, used by one event loop. `max_bytes` bounds it."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._max_bytes = max_bytes
        self._folder = folder
        self._file = _locked(folder / "spool.log")
        _sync(folder)  # a file whose name is lost is lost
        self._noted = folder / "spool.position"
        self.refused: str | None = None
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._writing = False
        self.size, self.position = _whole(self._file, _read_position(self._noted))
        self.records = sum(1 for _ in self._from(self.position))

    @property
    def holds_any(self) -> bool:
        """Whether anything waits; then everything else has to wait behind it."""
        return self.records > 0 or bool(self._waiting)

    @property
    def is_full(self) -> bool:
        return self.size >= self._max_bytes

    def probe(self) -> None:
        """Write to the disk and see whether it takes it; `refused` says what it answered, None when all is well."""
        try:
            _try(self._folder / "spool.probe")
            free = os.statvfs(self._folder)
        except OSError as failure:
            self.refused = failure.strerror or type(failure).__name__
        else:
            room = free.f_bavail * free.f_frsize
            self.refused = f"{room} bytes of room are left" if room < ROOM_BYTES else None

    def state(self) -> State:
        """What waits now."""
        return State(self.records, self.size - self.position, self._max_bytes, self.refused)

    def append(self, record: Spooled) -> "asyncio.Future[None]":
        """Done once the record is on the disk; those that come together share an fsync.

        Raises SpoolFull when it does not fit, and at its end OSError when the disk refuses it.
        """
        payload = _encode(record)
        framed = HEADER.pack(len(payload), zlib.crc32(payload)) + payload
        if self.size + sum(len(waiting) for waiting, _ in self._waiting) + len(framed) > self._max_bytes:
            raise SpoolFull
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._waiting.append((framed, done))
        if not self._writing:
            self._writing = True
            loop.create_task(self._write_waiting())  # noqa: RUF006 - its end is awaited through `done`
        return done

    def peek(self, most: int) -> tuple[list[Spooled], int]:
        """The next records in their order, and the position after them."""
        taken: list[Spooled] = []
        after = self.position
        for record, end in self._from(self.position):
            taken.append(record)
            after = end
            if len(taken) == most:
                break
        return taken, after

    def advance(self, position: int, count: int) -> None:
        """Kafka has everything before `position`. An empty spool's file is emptied as well.

        Raises OSError when the disk refuses to note that: then it is noted the next time, or Kafka gets records again.
        """
        self.position = position
        self.records -= count
        if self.records == 0 and not self._writing and position == self.size:
            self._empty()
        else:
            _note(self._noted, self.position)

    def _empty(self) -> None:
        """First the position, for good: an old one would skip what is written into the emptied file.

        Neither step needs room, so a full disk does not keep a spool from giving back the room it takes.
        """
        self._noted.unlink(missing_ok=True)
        _sync(self._folder)
        self._file.truncate(0)
        self.size = self.position = 0

    def close(self) -> None:
        """Let another process have the file."""
        self._file.close()

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            failure = await asyncio.to_thread(self._write, b"".join(framed for framed, _ in batch))
            self.refused = (failure.strerror or type(failure).__name__) if failure else None
            if failure is None:
                self.records += len(batch)
            for _, done in batch:
                if not done.done():  # its sender may have hung up
                    done.set_exception(failure) if failure else done.set_result(None)
        self._writing = False

    def _write(self, data: bytes) -> OSError | None:
        """Write behind what is there; what fails half-way is cut off again, or written over by what comes next."""
        try:
            _write_at(self._file, self.size, data)
        except OSError as failure:
            with suppress(OSError):
                self._file.truncate(self.size)
            return failure
        self.size += len(data)
        return None

    def _from(self, position: int) -> Iterator[tuple[Spooled, int]]:
        for payload, end in _frames(self._file, position, self.size):
            yield _decode(payload), end


def _locked(path: Path) -> IO[bytes]:
    """The file, ours alone until this process ends."""
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as taken:
        file.close()
        raise OSError(taken.errno, f"another gateway uses the spool in {path.parent}") from taken
    return file


def _whole(file: IO[bytes], noted: int) -> tuple[int, int]:
    """The length of the file, once a record that was not written whole is cut off, and where reading begins.

    That is the position noted, or the start where no record begins there: Kafka then gets some records twice.
    """
    end, begins = 0, noted == 0
    for _, end in _frames(file, 0, os.fstat(file.fileno()).st_size):
        begins = begins or end == noted
    file.truncate(end)
    return end, noted if begins else 0


def _frames(file: IO[bytes], position: int, end: int) -> Iterator[tuple[bytes, int]]:
    """The payloads from `position` on with the position after each, as far as they are whole."""
    while position + HEADER.size <= end:
        length, checksum = HEADER.unpack(os.pread(file.fileno(), HEADER.size, position))
        payload = os.pread(file.fileno(), length, position + HEADER.size)
        if len(payload) != length or zlib.crc32(payload) != checksum:
            return
        position += HEADER.size + length
        yield payload, position


def _write_at(file: IO[bytes], position: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file.fileno(), view, position)
        position, view = position + written, view[written:]
    os.fdatasync(file.fileno())


def _read_position(path: Path) -> int:
    try:
        return int(path.read_text())
    except (FileNotFoundError, ValueError):  # never noted, or torn: from the start, which only says things twice
        return 0


def _sync(folder: Path) -> None:
    """Wait until the disk knows the names in a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _try(path: Path) -> None:
    """Write a new file, as a record is written: one that has its room already tells nothing of a full disk."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0) as file:
        try:
            _write_at(file, 0, bytes(PROBE_BYTES))
        finally:
            path.unlink(missing_ok=True)


def _note(path: Path, position: int) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(str(position))
    beside.replace(path)
