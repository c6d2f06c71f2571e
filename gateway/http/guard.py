"""ASGI middleware that refuses malformed and ambiguous requests, with a cause, before they reach the application.

Limits and framing follow RFC 9112 and RFC 9110. The matrix of bad input is tests/e2e/bad_input.py.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from gateway.http.refusals import Refusal
from providers.catalogue import ROWS, without_token
from providers.responses import WebhookResponse

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

GUARDED = "hookstream.guarded"
MAX_URI_BYTES = 8_192
MAX_HEADERS = 100
MAX_HEADER_BYTES = 16_384
ONCE = frozenset({"host", "content-length", "content-type", "transfer-encoding"}).union(
    *(provider.stored_headers for provider in ROWS)
)
"""Headers that must not be repeated: two parsers could pick different values."""

_HOST = re.compile(r"[\w!$&'()*+,;=\-.~:\[\]@%]+", re.ASCII)
_WORD = r"[\w!#$%&'*+.^`|~-]+"
# Untrusted input: no blank may match in two places, or a header of `; ; ;` makes the regex backtrack endlessly.
_PARAMETERS = rf'(?:\s*;(?:\s*{_WORD}\s?=\s?(?:{_WORD}|"(?:[^"\\]|\\.)*"))?)*+\s*'
# Any parameter is accepted and ignored: JSON is UTF-8 (RFC 8259 §8.1), whatever `charset` says.
_JSON = re.compile(rf"application/(?:json|{_WORD}\+json){_PARAMETERS}", re.IGNORECASE | re.ASCII)
_FORM = re.compile(r"application/x-www-form-urlencoded\s*(;.*)?", re.IGNORECASE)


class Route(NamedTuple):
    """The rules for a request's path: the allowed method, the path without its token, the token, and two permissions.

    `takes_token` allows a token in the path or query, `takes_forms` a form as the body.
    """

    method: str
    path: str
    token: str | None = None
    takes_token: bool = False
    takes_forms: bool = False


@dataclass(slots=True)
class Guarded:
    """The parts of a request that the guard has read: headers by lower-case name, and the token, taken out of `path`.

    `media_refusal` refuses a body of a wrong media type. Such a body is passed on, because it is quarantined if its
    sender is authentic. Of a refused request, some parts may be missing.
    """

    headers: dict[str, str] = field(default_factory=dict)
    token: str | None = None
    media_refusal: Refusal | None = None


class Guard:
    """Passes well-formed requests for known paths to `application`.

    `route` returns the route of a path, None for an unknown one. `on_refusal` is called with the refusal of each other
    request and its scope, and returns the refusal to answer with; the scope's path then has no token. OPTIONS on a
    known path is answered with 204.

    The guard adds a `Guarded` to the scope; `guarded` returns it.
    """

    def __init__(
        self,
        application: Application,
        route: Callable[[str], Route | None],
        max_body_bytes: int,
        on_refusal: Callable[[Refusal, Scope], Refusal],
    ) -> None:
        self._application = application
        self._find = route
        self._max_body_bytes = max_body_bytes
        self._on_refusal = on_refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, answer or refuse one request."""
        if scope["type"] != "http":
            return await self._application(scope, receive, send)
        found = scope[GUARDED] = Guarded()
        try:
            found.headers = headers = _headers(scope)
            route = self._route(scope, found)
            if scope["method"] == "POST":
                _check_body(headers, self._max_body_bytes)
                found.media_refusal = _media_refusal(headers, takes_forms=route.takes_forms)
        except Refusal as refusal:
            scope["path"] = without_token(scope["path"])
            # A traceback would make a reference cycle with this frame.
            final = self._on_refusal(refusal.with_traceback(None), scope)
            return await respond(send, final.answer(), final.headers)
        if scope["method"] == "OPTIONS":
            return await respond(send, WebhookResponse(204, b""), {})
        await self._application(scope, receive, send)

    def _route(self, scope: Scope, found: Guarded) -> Route:
        if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_URI_BYTES:
            raise Refusal("uri_too_long", f"the URL is longer than {MAX_URI_BYTES} bytes")
        route = self._find(scope["path"])
        if route is None:
            raise Refusal("unknown_path", "there is nothing at this path")
        scope["path"], found.token = route.path, route.token
        if route.takes_token and scope["query_string"]:
            found.token = _token(route.token, scope["query_string"])
        if scope["method"] not in (route.method, "OPTIONS"):
            raise Refusal("method_not_allowed", f"only {route.method} is allowed here", allow=route.method)
        return route


def guarded(scope: Scope) -> Guarded:
    """Return the parts of a request that the guard has passed on or refused, from its scope."""
    found: Guarded = scope[GUARDED]
    return found


def _token(in_path: str | None, query: bytes) -> str | None:
    """Return the token of a URL: the last segment of the path, or `?token=`; None without one.

    Raises Refusal for different tokens, and for more than MAX_HEADERS parameters.
    """
    try:
        from_query = parse_qs(query.decode("latin-1"), max_num_fields=MAX_HEADERS).get("token", [])
    except ValueError:
        raise Refusal("malformed_request", f"the URL has more than {MAX_HEADERS} parameters") from None
    tokens = {*from_query, *([in_path] if in_path else [])}
    if len(tokens) > 1:
        raise Refusal("malformed_request", "the URL has two tokens")
    return tokens.pop() if tokens else None


async def respond(send: Send, answer: WebhookResponse, headers: Mapping[str, str]) -> None:
    """Send an answer with its Content-Type, its Content-Length and `headers`."""
    fields = [
        (b"content-type", answer.content_type),
        (b"content-length", str(len(answer.body)).encode()),
        *((name.encode(), value.encode()) for name, value in headers.items()),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": fields})
    await send({"type": "http.response.body", "body": answer.body})


def _headers(scope: Scope) -> dict[str, str]:
    """Return the headers by lower-case name; of a repeated header that ONCE does not list, the last value.

    Raises Refusal if they are too many or too long, a header of ONCE is repeated, or the host is missing or invalid.
    """
    headers: dict[str, str] = {}
    size = 0
    for name, value in scope["headers"]:
        text = name.decode("latin-1")
        if text in headers and text in ONCE:
            raise Refusal("malformed_request", f"the header {text} is given twice")
        headers[text] = value.decode("latin-1")
        size += len(name) + len(value)
    if len(scope["headers"]) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        raise Refusal("headers_too_large", f"more than {MAX_HEADERS} headers or {MAX_HEADER_BYTES} bytes of them")
    _check_host(headers.get("host", ""), scope["http_version"])
    return headers


def _check_host(host: str, http_version: str) -> None:
    if not host and http_version not in ("1", "1.0"):  # granian says "1"
        raise Refusal("malformed_request", "the header host is missing (RFC 9112 §3.2)")
    if host and not _HOST.fullmatch(host):
        raise Refusal("malformed_request", "the header host is not a valid host name (RFC 9110 §7.2)")


def _check_body(headers: Mapping[str, str], max_body_bytes: int) -> None:
    length, coding = headers.get("content-length"), headers.get("transfer-encoding")
    if coding is not None and (length is not None or coding.lower() != "chunked"):
        raise Refusal("malformed_request", "a body has either a Content-Length or chunked encoding (RFC 9112 §6.1)")
    if coding is None:
        _check_length(length, max_body_bytes)
    if headers.get("expect", "100-continue").lower() != "100-continue":
        raise Refusal("expectation_failed", "only Expect: 100-continue is supported")


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
