"""The strict door in front of the application: what a careless server lets through is refused here, with its cause.

Limits and framing by RFC 9112 and RFC 9110; the numbers of the rows it answers are those of the bad-input matrix.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from gateway.http.refusals import Refusal
from providers.catalogue import ROWS, without_token
from providers.contract import WebhookResponse

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_URI_BYTES = 8_192
MAX_HEADERS = 100
MAX_HEADER_BYTES = 16_384
ONCE = frozenset({"host", "content-length", "content-type", "transfer-encoding"}).union(
    *(provider.kept_headers for provider in ROWS)
)
"""Headers that two readers would take for different things when given twice."""

_HOST = re.compile(r"[\w!$&'()*+,;=\-.~:\[\]@%]+", re.ASCII)
_WORD = r"[\w!#$%&'*+.^`|~-]+"
# Anybody may send this, so no blank may match in two places: a header of `; ; ;` would take for ever.
_PARAMETERS = rf'(?:\s*;(?:\s*{_WORD}\s?=\s?(?:{_WORD}|"(?:[^"\\]|\\.)*"))?)*+\s*'
# Any parameter is taken and none is heeded: JSON is UTF-8 (RFC 8259 §8.1), whatever a `charset` says.
_JSON = re.compile(rf"application/(?:json|{_WORD}\+json){_PARAMETERS}", re.IGNORECASE | re.ASCII)
_FORM = re.compile(r"application/x-www-form-urlencoded\s*(;.*)?", re.IGNORECASE)


class Route(NamedTuple):
    """What is served at a path: by which method, the path without its token, whether tokens and forms are read."""

    method: str
    path: str
    token: str | None = None
    takes_token: bool = False
    takes_forms: bool = False


class Guard:
    """Lets well-formed requests for known paths through to `application`.

    `refused` is told of each request that is not let through, and decides what it is answered.

    The headers are `scope["kept"]`, a secret from the URL is `scope["token"]`, and the path is without it. A body of a
    wrong media type is let through with its refusal as `scope["media"]`: it is stored if its sender proves authentic.
    """

    def __init__(
        self,
        application: Application,
        route: Callable[[str], Route | None],
        max_body_bytes: int,
        refused: Callable[[Refusal, Scope], Refusal],
    ) -> None:
        self._application = application
        self._find = route
        self._max_body_bytes = max_body_bytes
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return await self._application(scope, receive, send)
        try:
            scope["kept"] = headers = _headers(scope)
            route = self._route(scope)
            if scope["method"] == "POST":
                _check_body(headers, self._max_body_bytes)
                scope["media"] = _media_refusal(headers, takes_forms=route.takes_forms)
        except Refusal as refusal:
            scope["path"] = without_token(scope["path"])
            answered = self._refused(refusal.with_traceback(None), scope)  # which would be in a cycle with this frame
            return await respond(send, answered.answer(), answered.headers)
        if scope["method"] == "OPTIONS":
            return await respond(send, WebhookResponse(204, b""), {})
        await self._application(scope, receive, send)

    def _route(self, scope: Scope) -> Route:
        if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_URI_BYTES:
            raise Refusal("uri_too_long", f"the address is longer than {MAX_URI_BYTES} bytes")
        route = self._find(scope["path"])
        if route is None:
            raise Refusal("unknown_path", "nothing is served here")
        scope["path"], scope["token"] = route.path, route.token
        if route.takes_token and scope["query_string"]:
            scope["token"] = _token(route.token, scope["query_string"])
        if scope["method"] not in (route.method, "OPTIONS"):
            raise Refusal("method_not_allowed", f"only {route.method} is served here", allow=route.method)
        return route


def _token(in_path: str | None, query: bytes) -> str | None:
    """The secret of a URL: the part behind the path, or `?token=`."""
    try:
        given = parse_qs(query.decode("latin-1"), max_num_fields=MAX_HEADERS).get("token", [])
    except ValueError:
        raise Refusal("malformed_request", f"the address has more than {MAX_HEADERS} parameters") from None
    tokens = {*given, *([in_path] if in_path else [])}
    if len(tokens) > 1:
        raise Refusal("malformed_request", "the address has two tokens")
    return tokens.pop() if tokens else None


async def respond(send: Send, answer: WebhookResponse, headers: Mapping[str, str]) -> None:
    """Send a whole answer."""
    fields = [
        (b"content-type", answer.content_type),
        (b"content-length", str(len(answer.body)).encode()),
        *((name.encode(), value.encode()) for name, value in headers.items()),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": fields})
    await send({"type": "http.response.body", "body": answer.body})


def _headers(scope: Scope) -> dict[str, str]:
    """The request's headers by lower-case name, once they are few, short and unambiguous."""
    kept: dict[str, str] = {}
    size = 0
    for name, value in scope["headers"]:
        text = name.decode("latin-1")
        if text in kept and text in ONCE:
            raise Refusal("malformed_request", f"the header {text} is given twice")
        kept[text] = value.decode("latin-1")
        size += len(name) + len(value)
    if len(scope["headers"]) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        raise Refusal("headers_too_large", f"more than {MAX_HEADERS} headers or {MAX_HEADER_BYTES} bytes of them")
    _check_host(kept.get("host", ""), scope["http_version"])
    return kept


def _check_host(host: str, http_version: str) -> None:
    if not host and http_version not in ("1", "1.0"):  # granian says "1"
        raise Refusal("malformed_request", "the header host is missing (RFC 9112 §3.2)")
    if host and not _HOST.fullmatch(host):
        raise Refusal("malformed_request", "the header host is no name of a host (RFC 9110 §7.2)")


def _check_body(headers: Mapping[str, str], max_body_bytes: int) -> None:
    length, coding = headers.get("content-length"), headers.get("transfer-encoding")
    if coding is not None and (length is not None or coding.lower() != "chunked"):
        raise Refusal("malformed_request", "a body is framed by Content-Length or by chunks alone (RFC 9112 §6.1)")
    if coding is None:
        _check_length(length, max_body_bytes)
    if headers.get("expect", "100-continue").lower() != "100-continue":
        raise Refusal("expectation_failed", "only Expect: 100-continue is understood")


def _media_refusal(headers: Mapping[str, str], *, takes_forms: bool) -> Refusal | None:
    if headers.get("content-encoding", "identity").lower() != "identity":
        return Refusal("unsupported_media_type", "a body must not be compressed: its signature is over plain bytes")
    kind = headers.get("content-type", "")
    if _JSON.fullmatch(kind) or (takes_forms and _FORM.fullmatch(kind)):
        return None
    return Refusal("unsupported_media_type", "the body must be application/json in UTF-8")


def _check_length(length: str | None, max_body_bytes: int) -> None:
    if length is None:
        raise Refusal("length_required", "Content-Length is missing")
    if not (length.isascii() and length.isdigit()):
        raise Refusal("malformed_request", "Content-Length is not a number")
    if int(length[:20]) > max_body_bytes:
        raise Refusal("body_too_large", f"the body is longer than {max_body_bytes} bytes")
