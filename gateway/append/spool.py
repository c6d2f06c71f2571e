"""A file of checksummed records that holds webhooks while Kafka is unavailable; fsynced before a webhook is answered.

A record is (length, CRC-32, payload), so that one torn by a kill at any byte is detected and cut off; its webhook was
not answered. Reading begins at the last saved position. A record that is appended to Kafka twice has the same ids.

Every method may meet a full or broken disk. None of them then loses a record that was reported as stored.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from gateway.append.spool_file import (
    frame,
    frames,
    open_locked,
    read_position,
    recover,
    save_position,
    sync,
    write_at,
    write_test_file,
)

MIN_FREE_BYTES = 1_048_576
"""Free space on the disk below which `probe` reports a problem: the longest body might not fit."""


class ProducerRecord(NamedTuple):
    """A record for Kafka; the spool's file holds it as a msgpack array of these fields."""

    topic: str
    key: str
    value: bytes


class SpoolFull(Exception):
    """With the record, the spool would exceed its `max_bytes`; the record was not stored."""


@dataclass(frozen=True, slots=True)
class SpoolState:
    """The records and bytes that are not in Kafka yet; `write_error` is why the disk refuses writes, or None.

    `max_bytes` limits the file, which keeps drained records until it is empty: it may be full with fewer `bytes`.
    """

    records: int
    bytes: int
    max_bytes: int
    write_error: str | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ProducerRecord).decode


class Spool:
    """A locked file of at most `max_bytes` in `folder`, used by one event loop.

    `records` is the number of records that are not in Kafka yet, `write_error` why the disk refuses writes, or None.
    Raises OSError if another gateway has the folder, or the disk fails.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._max_bytes = max_bytes
        self._folder = folder
        self._file = open_locked(folder / "spool.log")
        sync(folder)  # without its directory entry, the file is lost in a power failure
        self._position_file = folder / "spool.position"
        self.write_error: str | None = None
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._writing = False
        self.size, self.position = recover(self._file, read_position(self._position_file))
        self.records = sum(1 for _ in self._read_from(self.position))

    @property
    def has_pending(self) -> bool:
        """True while a record is stored or being written. New records then queue behind it, to keep the order."""
        return self.records > 0 or bool(self._waiting)

    @property
    def is_full(self) -> bool:
        return self.size >= self._max_bytes

    def probe(self) -> None:
        """Set `write_error` to why the disk refuses a test file or has too little room, or to None. Blocks."""
        try:
            write_test_file(self._folder / "spool.probe")
            disk = os.statvfs(self._folder)
        except OSError as failure:
            self.write_error = failure.strerror or type(failure).__name__
        else:
            free = disk.f_bavail * disk.f_frsize
            self.write_error = f"{free} bytes of room are left" if free < MIN_FREE_BYTES else None

    def state(self) -> SpoolState:
        """Return what the spool holds now."""
        return SpoolState(self.records, self.size - self.position, self._max_bytes, self.write_error)

    def append(self, record: ProducerRecord) -> "asyncio.Future[None]":
        """Return a future that is done once the record is fsynced; concurrent records share one fsync.

        Raises SpoolFull if the record does not fit; the future raises OSError if the disk refuses it.
        """
        framed = frame(_encode(record))
        if self.size + sum(len(waiting) for waiting, _ in self._waiting) + len(framed) > self._max_bytes:
            raise SpoolFull
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._waiting.append((framed, done))
        if not self._writing:
            self._writing = True
            loop.create_task(self._write_waiting())  # noqa: RUF006 - its end is awaited through `done`
        return done

    def peek(self, limit: int) -> tuple[list[ProducerRecord], int]:
        """Return the next records in order, at most `limit` and without removing them, and the position after them."""
        records: list[ProducerRecord] = []
        position = self.position
        for record, end in self._read_from(self.position):
            records.append(record)
            position = end
            if len(records) == limit:
                break
        return records, position

    def advance(self, position: int, count: int) -> None:
        """Mark the next `count` records, up to `position`, as appended to Kafka; truncate an emptied spool.

        Raises OSError if the disk refuses to save the position. The next call saves it; after a restart before that,
        Kafka gets the records again.
        """
        self.position = position
        self.records -= count
        if self.records == 0 and not self._writing and position == self.size:
            self._truncate()
        else:
            save_position(self._position_file, self.position)

    def _truncate(self) -> None:
        """Delete the saved position durably, then empty the file: an old position would skip new records.

        Neither step needs free space, so a spool frees its space on a full disk too.
        """
        self._position_file.unlink(missing_ok=True)
        sync(self._folder)
        self._file.truncate(0)
        self.size = self.position = 0

    def close(self) -> None:
        """Close the file, which releases its lock."""
        self._file.close()

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            failure = await asyncio.to_thread(self._write, b"".join(framed for framed, _ in batch))
            self.write_error = (failure.strerror or type(failure).__name__) if failure else None
            if failure is None:
                self.records += len(batch)
            for _, done in batch:
                if not done.done():  # the sender may have disconnected
                    done.set_exception(failure) if failure else done.set_result(None)
        self._writing = False

    def _write(self, data: bytes) -> OSError | None:
        """Write at the end of the file; return the failure, if any. The next write overwrites an incomplete one."""
        try:
            write_at(self._file, self.size, data)
        except OSError as failure:
            with suppress(OSError):
                self._file.truncate(self.size)
            return failure
        self.size += len(data)
        return None

    def _read_from(self, position: int) -> Iterator[tuple[ProducerRecord, int]]:
        for payload, end in frames(self._file, position, self.size):
            yield _decode(payload), end
