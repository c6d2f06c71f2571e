"""Posts prebuilt requests over keep-alive connections and measures the CPU of the server's process."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """The cost of one run: requests answered 200, seconds, and microseconds of the server's CPU per request."""

    requests: int
    seconds: float
    cpu_us: float


def cpu_seconds(pid: int) -> float:
    """Return the user and system time of a process and its threads, in seconds, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process in MB (10^6 bytes)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def post(port: int, pid: int, requests: Sequence[bytes], connections: int) -> Cost:
    """Post the requests over `connections` connections; each connection waits for an answer before its next request.

    `pid` is the server's process, whose CPU is measured.
    """
    before, began = cpu_seconds(pid), time.perf_counter()
    shares = [requests[n::connections] for n in range(connections)]
    answered = sum(await asyncio.gather(*(_share(port, share) for share in shares)))
    seconds = time.perf_counter() - began
    return Cost(answered, seconds, (cpu_seconds(pid) - before) / max(answered, 1) * 1e6)


async def _share(port: int, requests: Sequence[bytes]) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    accepted = 0
    for request in requests:
        accepted += await _answer(reader, writer, request)
    writer.close()
    return accepted


async def waits(port: int, requests: Sequence[bytes]) -> list[float]:
    """Post one request after the other over one connection; return the seconds to each answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times = []
    for request in requests:
        began = time.perf_counter()
        await _answer(reader, writer, request)
        times.append(time.perf_counter() - began)
    writer.close()
    return times


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bool:
    """Send a request, read the answer, and return whether it is 200."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    await reader.readexactly(length)
    return head.startswith(b"HTTP/1.1 200")
