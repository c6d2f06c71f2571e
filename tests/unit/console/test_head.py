"""HEAD is answered as GET is, without its content."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from litestar import Litestar, Response, get, post
from litestar.response import ServerSentEvent
from litestar.types import ASGIApp, HTTPReceiveMessage, Message

from console.web.routes.head import with_head

MAX_S = 5.0


@get("/page")
async def page() -> Response[str]:
    return Response("seven b", headers={"X-Of": "page"})


@get("/live")
async def live() -> ServerSentEvent:
    async def events() -> AsyncGenerator[str, None]:
        while True:
            yield "more"
            await asyncio.sleep(0.01)

    return ServerSentEvent(events())


@post("/act")
async def act() -> None:
    raise AssertionError("not called")


async def answer(application: ASGIApp, method: str, path: str) -> tuple[int, dict[bytes, bytes], bytes]:
    sent: list[Message] = []
    incoming: asyncio.Queue[HTTPReceiveMessage] = asyncio.Queue()
    incoming.put_nowait({"type": "http.request", "body": b"", "more_body": False})

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b""}
    await asyncio.wait_for(
        application({**scope, "headers": [], "root_path": "", "client": None}, incoming.get, send),  # type: ignore[arg-type]
        MAX_S,
    )
    start, *bodies = sent
    assert start["type"] == "http.response.start"
    content = b"".join(message["body"] for message in bodies if message["type"] == "http.response.body")
    return start["status"], dict(start["headers"]), content


def respond(application: ASGIApp, method: str, path: str) -> tuple[int, dict[bytes, bytes], bytes]:
    return asyncio.run(answer(application, method, path))


@pytest.fixture
def application() -> ASGIApp:
    return with_head(Litestar([page, live, act], openapi_config=None, logging_config=None))


def test_head_has_the_status_and_headers_of_get_and_no_content(application: ASGIApp) -> None:
    status, headers, content = respond(application, "GET", "/page")

    assert (status, content) == (200, b"seven b")
    assert respond(application, "HEAD", "/page") == (200, headers, b"")
    assert headers[b"content-length"] == b"7"


def test_head_of_a_stream_ends_with_its_headers(application: ASGIApp) -> None:
    status, headers, content = respond(application, "HEAD", "/live")

    assert (status, content) == (200, b"")
    assert headers[b"content-type"].startswith(b"text/event-stream")


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/act", 405)])
def test_head_is_refused_where_get_is(application: ASGIApp, path: str, status: int) -> None:
    assert (respond(application, "HEAD", path))[::2] == (status, b"")
