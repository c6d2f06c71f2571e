"""Posts requests of providers, valid or not, and returns the gateway's answers."""

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
class Answer:
    """An HTTP response; `body` is None if `raw` is no JSON."""

    status: int
    raw: bytes

    @property
    def body(self) -> Any:
        try:
            return json.loads(self.raw)
        except ValueError:
            return None


def post(url: str, request: Post) -> Answer:
    """Post a request to the gateway at `url`, and return the answer; after a 503, that to a second attempt."""
    return next(iter(post_all(url, [request])))


def post_all(url: str, requests: Iterable[Post]) -> Iterator[Answer]:
    """Post requests to the gateway at `url` one after the other, and yield the answer to each, in order.

    One connection is used until the gateway closes it. A request that is answered 503 is posted once more, as its
    sender would do.
    """
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT_S)
    try:
        for request in requests:
            answer = _posted(connection, request)
            yield _posted(connection, request) if answer.status == UNAVAILABLE else answer
    finally:
        connection.close()


def _posted(connection: http.client.HTTPConnection, request: Post) -> Answer:
    """Post a request; once more over a new connection if the server had closed the old one after an earlier answer."""
    try:
        return _asked(connection, request)
    except (ConnectionError, http.client.BadStatusLine):
        connection.close()
        return _asked(connection, request)


def _asked(connection: http.client.HTTPConnection, request: Post) -> Answer:
    headers = {"Content-Type": request.content_type, **request.headers}
    connection.request("POST", quote(request.path, safe="/?&=%"), request.body, headers)
    response = connection.getresponse()
    return Answer(response.status, response.read())
