"""Hostile senders in a process of their own: `python -m tests.e2e.hostile KIND URL`, which prints what it sent."""

import asyncio
import gzip
import resource
import sys
from contextlib import suppress
from urllib.parse import urlsplit

IDLE = 10_000
AT_ONCE = 500
HELD_S = 2.0
SPARE_FILES = 400
SLOW = 300


async def idle_connections(url: str) -> str:
    """Open as many connections as this process may, up to IDLE, and keep them open for HELD_S without a request."""
    most = min(IDLE, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_FILES)
    writers: list[asyncio.StreamWriter] = []
    while len(writers) < most:
        opened = await asyncio.gather(*(connect(url) for _ in range(AT_ONCE)))
        writers += [writer for _, writer in opened]
    await asyncio.sleep(HELD_S)
    for writer in writers:
        writer.close()
    return f"{len(writers)} idle connections"


async def slowloris(url: str) -> str:
    """Send headers, and on every other connection a body, one byte every half second over SLOW connections."""
    heads = [
        b"POST /webhooks/payment HTTP/1.1\r\nHost: a\r\nX-A: ",
        b"POST /webhooks/payment HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n",
    ]

    async def drip(head: bytes) -> None:
        with suppress(OSError):
            _, writer = await connect(url)
            writer.write(head)
            for letter in b"dripping":
                await asyncio.sleep(0.5)
                writer.write(bytes([letter]))
            writer.close()

    await asyncio.gather(*(drip(heads[n % 2]) for n in range(SLOW)))
    return f"{SLOW} slow senders"


async def giant_headers(url: str) -> str:
    """Send a header of 10 MB on each of 30 connections."""

    async def pour(nth: int) -> None:
        with suppress(OSError):
            _, writer = await connect(url)
            writer.write(b"POST /webhooks/payment HTTP/1.1\r\nX-A: ")
            for part in [b"a" * 100_000] * 100:
                writer.write(part)
                await writer.drain()

    await asyncio.gather(*map(pour, range(30)))
    return "30 headers of 10 MB"


async def gzip_bombs(url: str) -> str:
    """Send 50 gzip bodies that are each 250 MB uncompressed, and check that all are answered 415."""
    bomb = gzip.compress(b"0" * 50_000_000) * 5
    head = "POST /webhooks/payment HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
    raw = f"{head}Content-Length: {len(bomb)}\r\n\r\n".encode() + bomb

    async def throw(nth: int) -> bytes:
        with suppress(OSError):
            reader, writer = await connect(url)
            writer.write(raw)
            answer = await reader.readline()
            writer.close()
            return answer
        return b""

    answers = await asyncio.gather(*map(throw, range(50)))
    assert {answer.split()[1] for answer in answers if answer} == {b"415"}
    return f"50 bombs of {len(bomb) // 1000} KB"


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(url)
    return await asyncio.open_connection(address.hostname, address.port)


KINDS = {"idle": idle_connections, "slowloris": slowloris, "headers": giant_headers, "bombs": gzip_bombs}

if __name__ == "__main__":
    print(asyncio.run(KINDS[sys.argv[1]](sys.argv[2])))  # noqa: T201
