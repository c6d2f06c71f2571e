"""The start waits for a registry that does not answer, but not for a registry that refuses the credentials."""

import http.server
from threading import Thread

import pytest

from runtime.startup import NeedUnmet
from stream.avro.codec import Codec
from stream.avro.registry import CommittedRegistry, RemoteRegistry
from stream.avro.registry_client import RegistryClient
from stream.avro.startup import registry_answers
from stream.events import Outcome


def test_without_a_registry_there_is_nothing_to_wait_for() -> None:
    registry_answers(Codec(CommittedRegistry()), [Outcome])()


def test_a_registry_that_is_away_is_waited_for() -> None:
    url = "http://127.0.0.1:1"

    with pytest.raises(NeedUnmet, match="the schema registry at http://127"):
        registry_answers(Codec(RemoteRegistry(RegistryClient(url), registers=True)), [Outcome])()


@pytest.mark.parametrize(("status", "outcome"), [(401, SystemExit), (403, SystemExit), (503, NeedUnmet)])
def test_the_start_ends_when_the_registry_refuses_the_credentials_and_waits_when_it_fails(
    status: int, outcome: type[BaseException]
) -> None:
    class Answers(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(status)
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"

        with pytest.raises(outcome, match="the schema registry at"):
            registry_answers(Codec(RemoteRegistry(RegistryClient(url), registers=True)), [Outcome])()
        server.shutdown()
