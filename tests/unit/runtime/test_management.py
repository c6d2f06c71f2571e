"""The management listener: authorization, what a route gets, and how refusals are answered."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from runtime.config.settings import Settings
from runtime.health import Health
from runtime.management import listener
from runtime.management.listener import MAX_BODY_BYTES, MAX_CONNECTIONS
from runtime.management.router import Router
from runtime.management.routes import RequestRefused

TOKEN = "a token of a test"  # noqa: S105 - a test's
Response = tuple[int, Any]


def echo(request: Mapping[str, Any]) -> object:
    return {"request": request}


def refuse(request: Mapping[str, Any]) -> object:
    raise RequestRefused(409, "not_now", "it is too early")


def break_down(request: Mapping[str, Any]) -> object:
    raise RuntimeError("a secret")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    settings = Settings(kafka_bootstrap_servers="nowhere:1", management_port=0, management_token=TOKEN)
    routes = {
        ("GET", "/things"): echo,
        ("POST", "/things"): echo,
        ("POST", "/no"): refuse,
        ("POST", "/bug"): break_down,
    }
    server = listener.listen(settings, Health(), routes)
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def ask(port: int, method: str, target: str, body: bytes | None = None, token: str = TOKEN, **headers: str) -> Response:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, target, body, {"Authorization": f"Bearer {token}", **headers})
        answer = connection.getresponse()
        content = answer.read()
        is_json = content and "json" in (answer.getheader("Content-Type") or "")
        return answer.status, json.loads(content) if is_json else content
    finally:
        connection.close()


def test_an_empty_query_value_reaches_the_route(port: int) -> None:
    """Otherwise a filter with an empty value would return everything."""
    assert ask(port, "GET", "/things?order=") == (200, {"request": {"order": ""}})


def test_a_get_route_gets_the_query_and_a_post_route_the_body(port: int) -> None:
    assert ask(port, "GET", "/things?status=unknown&name=%EA%B9%80") == (
        200,
        {"request": {"status": "unknown", "name": "김"}},
    )
    assert ask(port, "POST", "/things", b'{"id": 1}') == (200, {"request": {"id": 1}})
    assert ask(port, "POST", "/things", b"") == (200, {"request": {}})


def test_a_refusal_has_a_status_an_error_and_a_sentence(port: int) -> None:
    assert ask(port, "POST", "/no") == (409, {"error": "not_now", "message": "it is too early"})


def test_an_internal_error_reveals_nothing(port: int) -> None:
    assert ask(port, "POST", "/bug") == (
        500,
        {"error": "internal_error", "message": "this failed; see the log of the service"},
    )


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b"[" * 60_000, b"null"])
def test_a_body_is_a_json_object(port: int, body: bytes) -> None:
    assert ask(port, "POST", "/things", body) == (
        400,
        {"error": "malformed", "message": "the body must be a JSON object"},
    )


def test_a_body_says_its_length_and_is_not_too_long(port: int) -> None:
    status, said = ask(port, "POST", "/things", b"x", **{"Content-Length": str(MAX_BODY_BYTES + 1)})
    assert (status, said["error"]) == (413, "too_large")

    for length in ("-1", "²", "ten"):
        status, said = ask(port, "POST", "/things", b"", **{"Content-Length": length.encode().decode("latin-1")})
        assert (status, said["error"]) == (411, "length_required")


@pytest.mark.parametrize("token", ["", "another token", "a toke", "é"])
@pytest.mark.parametrize("target", ["/things", "/metrics", "/nothing"])
def test_without_the_token_every_request_is_refused(port: int, target: str, token: str) -> None:
    status, said = ask(port, "GET", target, token=token)

    assert (status, said["error"]) == (401, "unauthorized")


@pytest.mark.parametrize("length", ["10", "99999999999", "ten", ""])
def test_the_token_is_asked_for_before_the_body(port: int, length: str) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(f"POST /things HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n".encode())
        answered = connection.recv(1000)  # without a byte of the body

    assert answered.startswith(b"HTTP/1.0 401")


def test_a_body_that_nobody_may_send_is_answered_and_not_cut_off(port: int) -> None:
    for _ in range(20):
        assert ask(port, "POST", "/things", b"x" * 60_000, token="another token")[0] == 401  # noqa: S106


def test_held_connections_block_no_health_probe_and_take_few_threads(port: int) -> None:
    before = threading.active_count()
    with ExitStack() as held:
        for _ in range(3 * MAX_CONNECTIONS):
            connection = held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            connection.sendall(b"POST /things HTTP/1.1\r\nX-A: ")
        statuses = [ask(port, "GET", "/health/live")[0] for _ in range(5)]
        threads = threading.active_count() - before

    assert statuses == [200] * 5
    assert threads <= MAX_CONNECTIONS


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET http://[ HTTP/1.1",
        b"GET /things?%ff=%zz HTTP/1.1",
        b"GET",
        b"\x00\xff",
        b"GET / HTTP/9",
        b"BREW / HTTP/1.1",
    ],
)
def test_nonsense_is_answered_without_a_traceback(
    port: int, request_line: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(request_line + b"\r\nAuthorization: Bearer " + TOKEN.encode() + b"\r\n\r\n")
        answered = b"".join(iter(lambda: connection.recv(1000), b""))
    ask(port, "GET", "/health/live")

    assert b"Traceback" not in answered
    assert b"Python" not in answered
    assert answered
    assert "Exception occurred" not in capfd.readouterr().err


def test_a_check_of_health_that_breaks_is_an_answer(port: int) -> None:
    health = Health()
    health.ready_while(lambda: str(break_down({})))

    assert Router(health, TOKEN).answer("GET", "/health/ready", "")[0] == 500


def test_warnings_are_shown_and_do_not_affect_readiness(port: int) -> None:
    health = Health()
    health.warn_while(lambda: "the disk is full")
    status, _, body = Router(health, TOKEN).answer("GET", "/health/ready", "")

    assert (status, json.loads(body)) == (200, {"status": "ok", "problems": [], "warnings": ["the disk is full"]})


def test_health_needs_no_token_and_metrics_do(port: int) -> None:
    assert ask(port, "GET", "/health/ready", token="") == (200, {"status": "ok", "problems": []})

    status, said = ask(port, "GET", "/metrics")
    assert status == 200
    assert b"# HELP" in said


@pytest.mark.parametrize("path", ["/health/ready", "/things", "/no", "/nothing"])
def test_head_is_answered_as_get_is_without_its_content(port: int, path: str) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(f"HEAD {path} HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        received = connection.makefile("rb").read()

    assert f" {ask(port, 'GET', path)[0]} ".encode() in received.splitlines()[0]
    assert b"Content-Length: " in received
    assert received.endswith(b"\r\n\r\n")


def test_an_unknown_method_or_path_is_refused(port: int) -> None:
    assert ask(port, "GET", "/no") == (405, {"error": "method_not_allowed", "message": "/no takes POST"})
    assert ask(port, "GET", "/nothing") == (404, {"error": "unknown_path", "message": "there is nothing at this path"})


def test_without_a_token_configured_nobody_is_let_in() -> None:
    said = Router(Health(), None, {("GET", "/things"): echo})

    assert said.answer("GET", "/things", "Bearer None")[0] == 401
    assert said.answer("GET", "/things", "Bearer ")[0] == 401
