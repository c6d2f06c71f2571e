"""Posts at a fixed rate without waiting for answers. Latency counts from the time at which a post was due."""

import asyncio
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

Connection = tuple[StreamReader, StreamWriter]
TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Post:
    """A post: when it was due and answered, in seconds since 1970, and the HTTP status.

    Status 0 is no answer within TIMEOUT_S, or a broken connection.
    """

    due: float
    answered: float
    status: int


class Poster:
    """Posts over keep-alive connections, and opens more when all are in use."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[Connection] = []

    async def play(self, requests: Sequence[bytes], rate: float) -> list[Post]:
        """Post a request every 1/`rate` seconds, whether or not earlier ones were answered; wait for all answers.

        Return a post for each request, in order.
        """
        began = time.time()
        async with asyncio.TaskGroup() as group:
            tasks = []
            for number, request in enumerate(requests):
                due = began + number / rate
                if (wait := due - time.time()) > 0:
                    await asyncio.sleep(wait)
                tasks.append(group.create_task(self._post(request, due)))
        self._close()
        return [task.result() for task in tasks]

    async def _post(self, request: bytes, due: float) -> Post:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                status = await self._exchange(request)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            status = 0
        return Post(due, time.time(), status)

    async def _exchange(self, request: bytes) -> int:
        """Post a request and return the status; like any HTTP client, post again when an idle connection is closed."""
        while self._idle:
            connection = self._idle.pop()
            with suppress(OSError, asyncio.IncompleteReadError):
                return await self._on(connection, request)
        return await self._on(await asyncio.open_connection("127.0.0.1", self._port), request)

    async def _on(self, connection: Connection, request: bytes) -> int:
        status = await _exchange(*connection, request)
        self._idle.append(connection)
        return status

    def _close(self) -> None:
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()


async def _exchange(reader: StreamReader, writer: StreamWriter, request: bytes) -> int:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])
