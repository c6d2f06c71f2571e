"""A request to a provider's API, against a real server that answers as it likes: what is heard is bounded."""

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Callable

import pytest

from confirmer.api_response import ApiResponse, NoAnswer, Response
from confirmer.polling.http_client import MAX_RESPONSE_BYTES, HttpClient, _retry_after
from providers.contract import ApiRequest

TIMEOUT_S = 0.5
AMPLE_S = 60.0
"""For servers that do answer, on a machine that is busy with other tests."""
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BOMB = gzip.compress(b"0" * 50_000_000)
Server = Callable[[], AsyncIterator[bytes]]


def response_from(server: Server, timeout_s: float = AMPLE_S) -> tuple[Response, bytes]:
    """What comes of asking a server that sends these parts, until we hang up; and the request as it arrived."""

    async def run() -> tuple[Response, bytes]:
        request = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            request.set_result(await reader.readuntil(b"\r\n\r\n"))
            try:
                async for part in server():
                    writer.write(part)
                    await writer.drain()
            except ConnectionError:
                pass
            finally:
                writer.close()

        listener = await asyncio.start_server(serve, "127.0.0.1", 0)
        host, port = listener.sockets[0].getsockname()
        async with listener, HttpClient(timeout_s) as http:
            response = await http.send(
                f"http://{host}:{port}", ApiRequest("GET", "/payments/1", {"Authorization": "key"})
            )
        return response, request.result() if request.done() else b""

    return asyncio.run(run())


async def whole() -> AsyncIterator[bytes]:
    yield OK + b'Content-Length: 9\r\n\r\n{"a": 1}\n'


async def endless() -> AsyncIterator[bytes]:
    yield OK + b"Connection: close\r\n\r\n"
    while True:
        yield b"x" * 65_536


async def endless_chunks() -> AsyncIterator[bytes]:
    yield OK + b"Transfer-Encoding: chunked\r\n\r\n"
    while True:
        yield b"1000\r\n" + b"x" * 4096 + b"\r\n"


async def dripping() -> AsyncIterator[bytes]:
    yield OK + b"Content-Length: 1000000\r\n\r\n"
    while True:
        yield b"x"
        await asyncio.sleep(0.02)


async def dripping_headers() -> AsyncIterator[bytes]:
    yield OK
    while True:
        yield b"X-A: a\r\n"
        await asyncio.sleep(0.02)


async def endless_interim_answers() -> AsyncIterator[bytes]:
    while True:
        yield b"HTTP/1.1 103 Early Hints\r\n\r\n"
        await asyncio.sleep(0.001)


async def huge_header() -> AsyncIterator[bytes]:
    yield OK + b"X-A: "
    while True:
        yield b"x" * 65_536


async def silent() -> AsyncIterator[bytes]:
    await asyncio.sleep(60)
    yield b""


async def bomb() -> AsyncIterator[bytes]:
    yield OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB


async def redirect() -> AsyncIterator[bytes]:
    yield b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"


async def nonsense() -> AsyncIterator[bytes]:
    yield b"220 mail.example.test ESMTP\r\n"


def test_an_answer_is_heard_and_asked_for_uncompressed() -> None:
    response, request = response_from(whole)

    assert response == ApiResponse(200, b'{"a": 1}\n')
    assert b"accept-encoding: identity\r\n" in request.lower()


@pytest.mark.parametrize(
    "server",
    [endless, endless_chunks, dripping, dripping_headers, endless_interim_answers, huge_header, silent, bomb, nonsense],
)
def test_no_answer_takes_more_time_or_memory_than_it_may(server: Server) -> None:
    """Without a deadline these servers are never done, and the test runs into its own time limit."""
    tracemalloc.start()
    try:
        response, _ = response_from(server, TIMEOUT_S)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert isinstance(response, NoAnswer)
    assert most < 10 * MAX_RESPONSE_BYTES


def test_a_redirect_is_not_followed() -> None:
    response, _ = response_from(redirect)

    assert response == ApiResponse(302)


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0.0),
        ("soon", None),
        ("Fri, 31 Dec 99999999999999999999 23:59:59 GMT", None),
    ],
)
def test_a_wish_nobody_understands_is_none(fields: str | None, seconds: float | None) -> None:
    assert _retry_after(fields) == seconds
