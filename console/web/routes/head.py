"""Answers HEAD wherever GET is answered, with the same headers and no content (RFC 9110, section 9.3.2)."""

import asyncio
from typing import cast

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, HTTPScope, Message, Receive, Scope, Send


def with_head(application: ASGIApp) -> ASGIApp:
    """Return the application with HEAD for each of its GET routes.

    A GET that streams is told that the client has left as soon as its headers are sent, so it ends.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request = cast("HTTPScope", scope)
        if scope["type"] == ScopeType.HTTP and request["method"] == HttpMethod.HEAD:
            receive, send = _without_content(receive, send)
            scope = {**request, "method": HttpMethod.GET}
        await application(scope, receive, send)

    return answer


def _without_content(receive: Receive, send: Send) -> tuple[Receive, Send]:
    is_sent, is_read = asyncio.Event(), False

    async def receive_request() -> HTTPReceiveMessage:
        nonlocal is_read
        if not is_read:
            is_read = True
            return cast("HTTPReceiveMessage", await receive())
        await is_sent.wait()
        return {"type": "http.disconnect"}

    async def send_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
        elif not is_sent.is_set():
            is_sent.set()
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return receive_request, send_headers
