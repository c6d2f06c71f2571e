"""Reads a request's body: whole, no longer than allowed, and within its time."""

from gateway.http.deadline import DeadlineExceeded, DeadlineTimer
from gateway.http.guard import Receive
from gateway.http.refusals import Refusal


class Bodies:
    """`most` bytes and `seconds` are what one body may have."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._patience = DeadlineTimer(seconds)

    async def read(self, receive: Receive, length: int | None) -> bytes:
        """The whole body, whose Content-Length is `length`; None when it comes in chunks.

        Raises Refusal.
        """
        try:
            return await self._patience.wait_for(_gather(receive, self._most, length))
        except DeadlineExceeded:
            raise Refusal("body_timeout", f"no whole body within {self._seconds:g} s") from None


async def _gather(receive: Receive, limit: int, length: int | None) -> bytes:
    """Receive until the body is whole. Each `receive` crosses two of the server's threads and costs 15 µs or more.

    A body that has its Content-Length needs no further one to say that it has ended.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal("malformed_request", "the body ended before its length")
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise Refusal("body_too_large", f"the body is longer than {limit} bytes")
        parts.append(part)
        if size == length or not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)
