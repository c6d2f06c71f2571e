"""The guard, called as the server calls it with hand-made requests."""

import asyncio
import json
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.http.guard import MAX_HEADERS, Guard, Route, guarded
from gateway.http.refusals import STATUS, Refusal

ROUTES = {
    "/webhooks/payment": Route("POST", "/webhooks/payment"),
    "/health/live": Route("GET", "/health/live"),
    "/api/webhooks/shippo": Route("POST", "/api/webhooks/shippo", takes_token=True),
    "/api/webhooks/shippo/s": Route("POST", "/api/webhooks/shippo", "s", takes_token=True),
    "/api/webhooks/sweettracker": Route("POST", "/api/webhooks/sweettracker", takes_token=True, takes_forms=True),
}
LIMIT = 1000


@dataclass
class Handled:
    """The result of one request: the answer, the recorded refusal, the scope that the application got."""

    messages: list[MutableMapping[str, Any]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    passed: list[MutableMapping[str, Any]] = field(default_factory=list)

    @property
    def cause(self) -> str | None:
        return self.refusals[0].cause if self.refusals else None

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.messages[0]["headers"]}

    @property
    def body(self) -> Any:
        return json.loads(self.messages[1]["body"])


def a_request(**changed: Any) -> dict[str, Any]:
    """A scope as granian makes it; a header given as None is left out, one given as a list is repeated."""
    headers = {
        "host": "shop.test",
        "content-type": "application/json",
        "content-length": "2",
        **changed.pop("headers", {}),
    }
    fields = [
        (name.encode(), line.encode("latin-1"))
        for name, value in headers.items()
        if value is not None
        for line in (value if isinstance(value, list) else [value])
    ]
    path = changed.get("path", "/webhooks/payment")
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": fields,
        **changed,
    }


def handle(noted: list[MutableMapping[str, Any]] | None = None, **changed: Any) -> Handled:
    """Pass a request through the guard; the scopes of refused requests are added to `noted`."""
    seen = Handled()

    async def application(scope: MutableMapping[str, Any], _: Any, __: Any) -> None:
        seen.passed.append(scope)

    async def receive() -> MutableMapping[str, Any]:
        raise AssertionError("the guard reads no body")

    async def send(message: MutableMapping[str, Any]) -> None:
        seen.messages.append(message)

    def refused(refusal: Refusal, scope: MutableMapping[str, Any]) -> Refusal:
        seen.refusals.append(refusal)
        if noted is not None:
            noted.append(scope)
        return refusal

    guard = Guard(application, ROUTES.get, LIMIT, refused)
    asyncio.run(guard(a_request(**changed), receive, send))
    return seen


def test_a_good_request_goes_through_with_its_headers() -> None:
    seen = handle(headers={"x-a": "é"})

    assert (seen.refusals, seen.messages) == ([], [])
    assert guarded(seen.passed[0]).headers == {
        "host": "shop.test",
        "content-type": "application/json",
        "content-length": "2",
        "x-a": "é",
    }


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json; charset=utf-8"},
        {"content-type": 'Application/JSON;charset="UTF-8"'},
        {"content-type": "application/json;charset=utf8"},
        {"content-type": "application/json; charset=euc-kr"},
        {"content-type": "application/json;"},
        {"content-type": "application/json;; ;charset=utf-8 ; "},
        {"content-type": "application/json; charset= utf-8"},
        {"content-type": "application/json; odata=verbose; v=1"},
        {"content-type": 'application/json; profile="a;b\\"c"'},
        {"content-type": "application/vnd.shop.event+json"},
        {"content-type": "application/cloudevents+json; charset=UTF-8"},
        {"content-length": None, "transfer-encoding": "chunked"},
        {"content-length": None, "transfer-encoding": "Chunked"},
        {"content-length": "0"},
        {"content-length": str(LIMIT)},
        {"expect": "100-continue"},
        {"content-encoding": "identity"},
        {"host": "[::1]:3000"},
        {"host": "xn--9n2bp8q.kr:80"},
        {"x-a": ["1", "2"]},
        {"x-forwarded-for": ["1.1.1.1", "2.2.2.2"]},
        {f"x-{n}": "a" for n in range(MAX_HEADERS - 3)},
    ],
)
def test_what_is_unusual_but_clear_goes_through(headers: dict[str, Any]) -> None:
    seen = handle(headers=headers)

    assert (seen.cause, len(seen.passed)) == (None, 1)
    assert guarded(seen.passed[0]).media_refusal is None


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": None},
        {"content-type": "text/plain"},
        {"content-type": "application/jsonp"},
        {"content-type": "application/+json"},
        {"content-type": "application/json; charset"},
        {"content-type": "application/json, text/plain"},
        {"content-type": "application/json; a=" + "b" * 16_000 + "\x7f"},
        {"content-type": "application/json" + "; a=b" * 3_000 + ","},
        *({"content-type": "application/json" + blank * 4_000 + "\x7f"} for blank in ("; ", " ;", ";", " ", "\t; ")),
        {"content-encoding": "gzip"},
    ],
)
def test_a_wrong_media_type_goes_through_with_its_refusal_for_its_sender_may_prove_authentic(
    headers: dict[str, Any],
) -> None:
    seen = handle(headers=headers)

    assert (seen.cause, len(seen.passed)) == (None, 1)
    refusal = guarded(seen.passed[0]).media_refusal
    assert refusal is not None
    assert refusal.cause == "unsupported_media_type"


@pytest.mark.parametrize(
    ("headers", "cause"),
    [
        ({"host": None}, "malformed_request"),
        ({"host": ""}, "malformed_request"),
        ({"host": "a b"}, "malformed_request"),
        ({"host": "a/b"}, "malformed_request"),
        ({"host": "é"}, "malformed_request"),
        ({"host": ["a", "a"]}, "malformed_request"),
        ({"content-length": ["2", "2"]}, "malformed_request"),
        ({"content-length": "2, 2"}, "malformed_request"),
        ({"content-length": "-1"}, "malformed_request"),
        ({"content-length": "+2"}, "malformed_request"),
        ({"content-length": "0_2"}, "malformed_request"),
        ({"content-length": "²"}, "malformed_request"),
        ({"content-length": ""}, "malformed_request"),
        ({"content-length": "abc"}, "malformed_request"),
        ({"transfer-encoding": "chunked"}, "malformed_request"),
        ({"content-length": None, "transfer-encoding": "gzip, chunked"}, "malformed_request"),
        ({"content-length": None, "transfer-encoding": "chunked, identity"}, "malformed_request"),
        ({"content-length": None, "transfer-encoding": ["chunked", "chunked"]}, "malformed_request"),
        ({"content-type": ["application/json", "text/plain"]}, "malformed_request"),
        ({"x-webhook-signature": ["a", "a"]}, "malformed_request"),
        ({"idempotency-key": ["a", "b"]}, "malformed_request"),
        ({"content-length": None}, "length_required"),
        ({"content-length": str(LIMIT + 1)}, "body_too_large"),
        ({"content-length": "10000000000"}, "body_too_large"),
        ({"content-length": "9" * 5000}, "body_too_large"),
        ({"expect": "foo"}, "expectation_failed"),
        ({"x-a": "a" * 16_384}, "headers_too_large"),
        ({f"x-{n}": "a" for n in range(MAX_HEADERS - 2)}, "headers_too_large"),
    ],
)
def test_what_two_readers_could_take_differently_is_refused(headers: dict[str, Any], cause: str) -> None:
    seen = handle(headers=headers)

    assert (seen.cause, seen.passed) == (cause, [])
    assert (seen.status, seen.body["error"]) == (STATUS[cause], cause)


@pytest.mark.parametrize(
    "changed",
    [
        {"path": "/webhooks/nobody"},
        {"path": "/webhooks/payment/"},
        {"path": "//webhooks/payment"},
        {"path": "/Webhooks/payment"},
        {"path": "/webhooks/../webhooks/payment"},
        {"path": "/"},
        {"path": ""},
        {"path": "*"},
    ],
)
def test_only_known_paths_are_served_letter_for_letter(changed: dict[str, Any]) -> None:
    seen = handle(**changed)

    assert (seen.status, seen.cause, seen.passed) == (404, "unknown_path", [])


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "DELETE", "PATCH", "TRACE", "post", "BREW"])
def test_another_method_is_told_which_one_is_served(method: str) -> None:
    seen = handle(method=method)

    assert (seen.status, seen.cause, seen.headers["allow"]) == (405, "method_not_allowed", "POST")


def test_a_path_that_is_read_is_not_posted_to() -> None:
    seen = handle(path="/health/live")

    assert (seen.status, seen.headers["allow"]) == (405, "GET")


def test_what_is_read_needs_no_body() -> None:
    seen = handle(path="/health/live", method="GET", headers={"content-length": None, "content-type": None})

    assert len(seen.passed) == 1


def test_options_are_answered_without_leave_for_other_origins() -> None:
    seen = handle(method="OPTIONS", headers={"origin": "https://evil.test"})

    assert (seen.status, seen.messages[1]["body"], seen.passed) == (204, b"", [])
    assert not [name for name in seen.headers if name.startswith("access-control")]


@pytest.mark.parametrize("version", ["1", "1.0"])  # granian says "1", ASGI's specification "1.0"
def test_http_1_0_needs_no_host(version: str) -> None:
    assert len(handle(http_version=version, headers={"host": None}).passed) == 1


@pytest.mark.parametrize(("raw_path", "query"), [(b"/" * 8193, b""), (b"/webhooks/payment", b"a" * 8200)])
def test_an_address_may_not_be_endless(raw_path: bytes, query: bytes) -> None:
    seen = handle(raw_path=raw_path, query_string=query)

    assert (seen.status, seen.cause) == (414, "uri_too_long")


def test_a_connection_that_cannot_be_trusted_is_closed_and_another_kept() -> None:
    assert handle(headers={"host": ["a", "b"]}).headers["connection"] == "close"
    assert "connection" not in handle(path="/webhooks/nobody").headers


def test_an_answer_says_how_long_it_is() -> None:
    seen = handle(path="/webhooks/nobody")

    assert seen.headers["content-length"] == str(len(seen.messages[1]["body"]))
    assert seen.headers["content-type"] == "application/json"


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_what_is_not_http_is_the_applications_business(kind: str) -> None:
    seen = handle(type=kind)

    assert len(seen.passed) == 1


@pytest.mark.parametrize(
    ("path", "query", "token"),
    [
        ("/api/webhooks/shippo", b"", None),
        ("/api/webhooks/shippo/s", b"", "s"),
        ("/api/webhooks/shippo", b"token=s", "s"),
        ("/api/webhooks/shippo", b"a=b&token=%ec%95%94", "\uc554"),
        ("/api/webhooks/shippo", b"token=", None),
        ("/api/webhooks/shippo", b"Token=s", None),
        ("/api/webhooks/shippo/s", b"token=s", "s"),
        ("/webhooks/payment", b"token=s", None),
    ],
)
def test_a_token_goes_through_apart_from_the_path(path: str, query: bytes, token: str | None) -> None:
    seen = handle(path=path, query_string=query)

    assert (seen.passed[0]["path"], guarded(seen.passed[0]).token) == (path.removesuffix("/s"), token)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/webhooks/shippo/s", b"token=t"),
        ("/api/webhooks/shippo", b"token=s&token=t"),
        ("/api/webhooks/shippo", b"&".join([b"a=b"] * 200)),
    ],
)
def test_of_two_tokens_neither_counts(path: str, query: bytes) -> None:
    assert handle(path=path, query_string=query).cause == "malformed_request"


@pytest.mark.parametrize(
    "changed",
    [
        {"path": "/api/webhooks/shippo/hunter2/"},
        {"path": "//api/webhooks/SHIPPO//hunter2"},
        {"path": "/api/webhooks/sweettracker/x/hunter2"},
        {"path": "/api/webhooks/shippo/hunter2", "headers": {"host": ["a", "b"]}},
        {"path": "/api/webhooks/shippo/hunter2", "query_string": b"a" * 9000},
        {"path": "/api/webhooks/shippo/s", "method": "GET", "query_string": b"token=hunter2"},
    ],
)
def test_a_refused_request_is_noted_without_what_may_be_its_token(changed: dict[str, Any]) -> None:
    noted: list[MutableMapping[str, Any]] = []

    seen = handle(noted=noted, **changed)

    assert seen.cause is not None
    assert "hunter2" not in noted[0]["path"]


@pytest.mark.parametrize(
    ("path", "cause"), [("/api/webhooks/sweettracker", None), ("/api/webhooks/shippo", "unsupported_media_type")]
)
def test_a_form_goes_through_only_where_forms_are_read(path: str, cause: str | None) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded; charset=euc-kr"}

    media = guarded(handle(path=path, headers=kind).passed[0]).media_refusal

    assert (media and media.cause) == cause
