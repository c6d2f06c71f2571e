"""Posts what providers send, in whatever state it is, and hears what is said to it."""

import http.client
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from tests.payloads import Post

TIMEOUT_S = 30.0
UNAVAILABLE = 503


@dataclass(frozen=True)
class Answered:
    """A status, the body as JSON, and as bytes where it is none."""

    status: int
    raw: bytes

    @property
    def body(self) -> Any:
        try:
            return json.loads(self.raw)
        except ValueError:
            return None


def post(url: str, request: Post) -> Answered:
    """What the gateway at `url` answers."""
    return next(iter(post_all(url, [request])))


def post_all(url: str, requests: Iterable[Post]) -> Iterator[Answered]:
    """What the gateway answers to each, over one connection for as long as it lasts.

    One that is not stored in time is posted once more, as its sender would.
    """
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT_S)
    try:
        for request in requests:
            answer = _posted(connection, request)
            yield _posted(connection, request) if answer.status == UNAVAILABLE else answer
    finally:
        connection.close()


def _posted(connection: http.client.HTTPConnection, request: Post) -> Answered:
    """A server may hang up after an answer; what was on its way then goes over a new connection."""
    try:
        return _asked(connection, request)
    except (ConnectionError, http.client.BadStatusLine):
        connection.close()
        return _asked(connection, request)


def _asked(connection: http.client.HTTPConnection, request: Post) -> Answered:
    headers = {"Content-Type": request.content_type, **request.headers}
    connection.request("POST", quote(request.path, safe="/?&=%"), request.body, headers)
    response = connection.getresponse()
    return Answered(response.status, response.read())
