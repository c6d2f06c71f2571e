"""Reads request bodies, with a limit on their size and on the time they take to arrive."""

from collections.abc import Mapping

from gateway.http.deadline import DeadlineExceeded, DeadlineTimer
from gateway.http.guard import Receive
from gateway.http.refusals import Refusal


class BodyReader:
    """Reads bodies of at most `max_bytes`, each within `timeout_s` seconds."""

    def __init__(self, max_bytes: int, timeout_s: float) -> None:
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._timer = DeadlineTimer(timeout_s)

    async def read(self, receive: Receive, content_length: int | None) -> bytes:
        """Return the complete body; `content_length` is None for a chunked one.

        Raises Refusal if the body is too long, takes too long, or the client disconnects before its end.
        """
        try:
            return await self._timer.wait_for(_read(receive, self._max_bytes, content_length))
        except DeadlineExceeded:
            raise Refusal("body_timeout", f"no complete body within {self._timeout_s:g} s") from None


async def _read(receive: Receive, max_bytes: int, content_length: int | None) -> bytes:
    """Receive messages until the body is complete.

    Each `receive` crosses two of the server's threads and costs 15 µs or more, so a body with a Content-Length is
    complete at that length, without another message that says so.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal("malformed_request", "the body ended before its length")
        part = message.get("body", b"")
        size += len(part)
        if size > max_bytes:
            raise Refusal("body_too_large", f"the body is longer than {max_bytes} bytes")
        parts.append(part)
        if size == content_length or not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def content_length(headers: Mapping[str, str]) -> int | None:
    """Return the Content-Length of a POST request that passed the guard; None for a chunked body."""
    return None if "transfer-encoding" in headers else int(headers["content-length"])
