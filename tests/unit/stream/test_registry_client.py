"""A schema registry that refuses requests or sends wrong responses causes an error that explains it, never a crash."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from runtime.config.settings import Settings
from stream.avro.codec import Codec, Undecodable
from stream.avro.registry import CommittedRegistry, RemoteRegistry, UnknownSchema
from stream.avro.registry_client import RegistryClient, RegistryError
from stream.avro.schemas import canonical, declared
from stream.events import EventId, Micros, Outcome

PASSWORD = "do-not-show-me"  # noqa: S105 - not a real password
Answer = Callable[[BaseHTTPRequestHandler], tuple[int, bytes]]


class Listener(BaseHTTPRequestHandler):
    """Responds with the result of `answer`."""

    answer: ClassVar[Answer]
    seen: ClassVar[list[tuple[str, str, str | None]]]

    def do_GET(self) -> None:
        self.seen.append((self.command, self.path, self.headers.get("Authorization")))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, content = type(self).answer(self)
        self.send_response(status)
        if status in (301, 307):
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def listener() -> Iterator[tuple[str, type[Listener]]]:
    kind = type("ThisListener", (Listener,), {"seen": [], "answer": staticmethod(lambda _: (200, b"{}"))})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}", kind
    finally:
        server.shutdown()
        server.server_close()


def always(status: int, content: object) -> Any:
    encoded = content if isinstance(content, bytes) else json.dumps(content).encode()
    return staticmethod(lambda _: (status, encoded))


def remote(url: str, *, registers: bool = False) -> RemoteRegistry:
    return RemoteRegistry(RegistryClient(url), registers=registers)


@pytest.mark.parametrize(
    ("status", "content", "sentence"),
    [
        (200, b"<html>welcome</html>", "does not answer as a schema registry: no JSON"),
        (200, b"[" * 200_000, "does not answer as a schema registry"),
        (200, b'{"a":"' + b"x" * 2_000_000 + b'"}', "does not answer as a schema registry"),
        (200, [], "names no id"),
        (200, {"id": "1"}, "names no id"),
        (200, {"id": 2**31}, "names no id"),
        (200, {"id": True}, "names no id"),
        (401, {"error_code": 401}, "refuses the credentials \\(401\\): check the user in SCHEMA_REGISTRY_URL"),
        (403, b"", "refuses the credentials \\(403\\)"),
        (404, b"<html>not here</html>", "check its path"),
        (404, {"error_code": 40401}, "run `hookstream schemas push`, or set SCHEMA_REGISTER=true"),
        (500, b"", "answers 500"),
        (301, b"", "answers 301"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_unexpected_response_is_a_registry_error_without_the_password(
    status: int, content: object, sentence: str, listener: tuple[str, type[Listener]]
) -> None:
    address, kind = listener
    kind.answer = always(status, content)

    with pytest.raises(RegistryError, match=sentence) as failed:
        remote(f"http://kim:{PASSWORD}@{address}/apis").id_of("PaymentWebhook")

    assert isinstance(failed.value, OSError)
    assert PASSWORD not in str(failed.value)


def test_a_registry_that_does_not_answer_is_a_registry_error() -> None:
    with pytest.raises(RegistryError, match=r"the schema registry at http://127\.0\.0\.1:1 does not answer"):
        remote(f"http://kim:{PASSWORD}@127.0.0.1:1").id_of("PaymentWebhook")


def test_credentials_are_sent_as_basic_or_bearer(listener: tuple[str, type[Listener]]) -> None:
    address, kind = listener
    RegistryClient(f"http://kim:p%40ss@{address}").call("GET", "/subjects")
    RegistryClient(f"http://{address}", token="abc").call("GET", "/subjects")  # noqa: S106 - for the test

    assert [sent for _, _, sent in kind.seen] == ["Basic a2ltOnBAc3M=", "Bearer abc"]


def test_a_schema_is_looked_up_and_registered_only_if_registration_is_enabled(
    listener: tuple[str, type[Listener]],
) -> None:
    address, kind = listener
    kind.answer = always(200, {"id": 7})

    assert remote(f"http://{address}").id_of("PaymentWebhook") == 7
    assert remote(f"http://{address}", registers=True).id_of("PaymentWebhook") == 7
    assert [path for _, path, _ in kind.seen] == ["/subjects/PaymentWebhook", "/subjects/PaymentWebhook/versions"]


def without_namespaces(node: Any) -> Any:
    """As Java's Avro prints it: a nested type in its parent's namespace does not repeat it."""
    if isinstance(node, list):
        return [without_namespaces(part) for part in node]
    if isinstance(node, dict):
        return {key: without_namespaces(part) for key, part in reversed(node.items()) if key != "namespace"}
    return node


RECURSIVE: Any = {"type": "record", "name": "Outcome", "fields": [{"name": "of", "type": ["null", "Outcome"]}]}
DEEP = '{"type":"array","items":' * 5000 + '"string"' + "}" * 5000
DEEPER = '{"type":"array","items":' * 200 + '"string"' + "}" * 200


@pytest.mark.parametrize(
    "text", [json.dumps(RECURSIVE), DEEP, DEEPER, '"string"', "[]", "7", "null", "{}", "syntax = 3;"]
)
def test_a_foreign_deep_or_recursive_schema_makes_a_record_undecodable_and_never_crashes(
    text: str, listener: tuple[str, type[Listener]]
) -> None:
    address, kind = listener
    kind.answer = always(200, {"schema": text})

    with pytest.raises((Undecodable, UnknownSchema)):
        Codec(remote(f"http://{address}")).decode(b"\x00\x00\x00\x00\x07" + b"\x02" * 100)


def test_a_committed_schema_is_recognised_however_the_registry_writes_it(listener: tuple[str, type[Listener]]) -> None:
    address, kind = listener
    golden = CommittedRegistry()
    codec = Codec(golden)
    schema = json.loads(canonical(declared("Outcome")))
    kind.answer = always(200, {"schema": json.dumps({**without_namespaces(schema), "namespace": "hookstream"})})
    outcome = Outcome(
        event_id=EventId("3f0e9a8e-0000-5000-8000-000000000000"),
        service="payment",
        topic="t",
        partition=0,
        offset=0,
        outcome="processed",
        attempt=1,
        error=None,
        at=Micros(0),
    )
    written = codec.encode(outcome)

    assert Codec(remote(f"http://{address}")).decode(b"\x00\x00\x00\x00\x63" + written[5:]) == outcome


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"SCHEMA_REGISTRY_URL": "registry:8081"}, "SCHEMA_REGISTRY_URL: must be an http or https URL"),
        ({"SCHEMA_REGISTRY_URL": f"https://kim:{PASSWORD}@r", "SCHEMA_REGISTRY_TOKEN": "t"}, "use only one of them"),
        ({"SCHEMA_REGISTRY_URL": "https://r", "SCHEMA_REGISTRY_CA": "/nowhere"}, "has no readable certificate"),
        ({"SCHEMA_REGISTER": "perhaps"}, "SCHEMA_REGISTER: "),
    ],
)
def test_a_wrong_setting_of_the_registry_stops_the_start_with_a_sentence(
    variables: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka:9092")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit):
        Settings.read()

    stderr = capsys.readouterr().err
    assert "cannot start: " in stderr
    assert sentence in stderr
    assert PASSWORD not in stderr
