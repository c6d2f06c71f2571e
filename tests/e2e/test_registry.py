"""The whole way again, with schema ids from a registry: open, and behind TLS and credentials."""

import base64
import json
import ssl
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local import stack
from stream.events.topics import PAYMENT_WEBHOOKS
from stream.kafka.cluster import Cluster
from stream.kafka.producer import PRODUCER
from tests.actors import Inbox, Shop, Store, new_order
from tests.failing import hookstream
from tests.gateways import another_gateway
from tests.secured_kafka import certify

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
USER, PASSWORD, TOKEN = "hookstream", "p@ss:word/1", "a-token-of-some-length"
ACCEPTED = {f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}", f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A system of its own, beside Apicurio, where it registers its schemas itself."""
    data = tmp_path_factory.mktemp("registered")
    with stack.everything(ROOT, data, registry=True) as env:
        yield env | {"RUN_FOLDER": str(data)}


@pytest.fixture(scope="module")
def guarded(registered: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables that lead through TLS and a password to the same registry."""
    keys = tmp_path_factory.mktemp("keys")
    certify(keys, ("proxy",))
    with proxy(registered["SCHEMA_REGISTRY_URL"], keys) as port:
        path = urlsplit(registered["SCHEMA_REGISTRY_URL"]).path
        url = f"https://{USER}:p%40ss%3Aword%2F1@127.0.0.1:{port}{path}"
        yield {"SCHEMA_REGISTRY_URL": url, "SCHEMA_REGISTRY_CA": str(keys / "ca.pem")}


@contextmanager
def proxy(target: str, keys: Path) -> Iterator[int]:
    """Hands on what comes by TLS with one of the ACCEPTED credentials."""
    address = urlsplit(target)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, content = 401, b"{}"
            if self.headers.get("Authorization") in ACCEPTED:
                behind = HTTPConnection(address.hostname or "", address.port, timeout=20)
                kind = self.headers.get("Content-Type", "application/json")
                behind.request(self.command, self.path, body, {"Content-Type": kind})
                answer = behind.getresponse()
                status, content = answer.status, answer.read()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PUT = do_GET

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / "proxy.pem", keys / "proxy.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def test_a_webhook_becomes_a_mail_by_the_registrys_schemas(registered: dict[str, str]) -> None:
    order = new_order()
    customer = f"{order.lower()}@example.test"
    shop = Shop(registered["GATEWAY_URL"], registered["WEBHOOK_SECRET"])

    shop.post("order", {"orderId": order, "customerEmail": customer, "locale": "en"})
    shop.post("payment", {"orderId": order, "status": "completed", "amount": 58000})

    (mail,) = Inbox(registered["INBOX_URL"]).wait_for(customer)
    assert mail["Subject"] == f"Order {order}: payment received"
    payments = Store(registered["PAYMENT_DATABASE_URL"])
    assert payments.rows("SELECT status FROM payments WHERE order_id = %s", order) == [{"status": "completed"}]
    assert {"PaymentWebhook", "OrderWebhook", "PaymentCompleted"} <= set(subjects(registered))


def test_schemas_are_pushed_through_tls_with_a_password_or_a_token(
    registered: dict[str, str], guarded: dict[str, str]
) -> None:
    """Apicurio numbers for itself: what the system has registered before decides its ids, and push says so."""
    with_password = hookstream(registered | guarded, "schemas", "push")
    bare = guarded["SCHEMA_REGISTRY_URL"].replace(f"{USER}:p%40ss%3Aword%2F1@", "")
    with_token = hookstream(
        registered | guarded | {"SCHEMA_REGISTRY_URL": bare, "SCHEMA_REGISTRY_TOKEN": TOKEN}, "schemas", "push"
    )

    for pushed in (with_password, with_token):
        assert "registered at the schema registry at https://127.0.0.1" in pushed.stdout + pushed.stderr
        assert "p%40ss" not in pushed.stdout + pushed.stderr
    committed = {entry["subject"] for entry in json.loads((ROOT / "schemas" / "avro" / "registry.json").read_text())}
    assert committed <= set(subjects(registered))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SCHEMA_REGISTRY_CA": ""}, "its certificate is not trusted"),
        ({"SCHEMA_REGISTRY_URL": "wrong password"}, "refuses the credentials (401)"),
    ],
)
def test_a_registry_that_cannot_be_used_is_a_sentence(
    change: dict[str, str], sentence: str, registered: dict[str, str], guarded: dict[str, str]
) -> None:
    wrong = guarded["SCHEMA_REGISTRY_URL"].replace("p%40ss", "secret")
    change = {name: wrong if value == "wrong password" else value for name, value in change.items()}

    pushed = hookstream(registered | guarded | change, "schemas", "push")

    assert pushed.returncode == 1
    assert sentence in pushed.stderr
    assert "secret" not in pushed.stdout + pushed.stderr


def test_a_gateway_looks_its_schemas_up_through_tls_and_registers_none(
    registered: dict[str, str], guarded: dict[str, str]
) -> None:
    hookstream(registered | guarded, "schemas", "push")
    order = new_order()

    with another_gateway(registered, **guarded) as gateway:
        answered = gateway.shop.post("payment", {"orderId": order, "status": "completed", "amount": 58000})

    assert answered.status == 200
    payments = Store(registered["PAYMENT_DATABASE_URL"])
    assert payments.wait_for("SELECT status FROM payments WHERE order_id = %s", order) == [{"status": "completed"}]


def test_a_record_with_a_schema_of_another_team_is_dead_and_the_rest_goes_on(registered: dict[str, str]) -> None:
    recursive = {"type": "record", "name": "Basket", "fields": [{"name": "in", "type": ["null", "Basket"]}]}
    foreign = register(registered, "Basket", recursive)
    order = new_order()
    put(registered, b"\x00" + foreign.to_bytes(4, "big") + b"\x02" * 50_000)

    shop = Shop(registered["GATEWAY_URL"], registered["WEBHOOK_SECRET"])
    shop.post("payment", {"orderId": order, "status": "completed", "amount": 58000})

    payments = Store(registered["PAYMENT_DATABASE_URL"])
    assert payments.wait_for("SELECT status FROM payments WHERE order_id = %s", order) == [{"status": "completed"}]
    (dead,) = payments.wait_for("SELECT error FROM retries WHERE error LIKE %s", f"%schema {foreign} is of no record%")
    assert "no record of ours" in dead["error"]


def put(system: dict[str, str], value: bytes) -> None:
    """These bytes on a topic."""
    producer = Cluster.of_environment(system, "tests").producer(PRODUCER)
    producer.produce(PAYMENT_WEBHOOKS.name, value, b"foreign", 0)
    assert producer.flush(10) == 0


def register(system: dict[str, str], subject: str, schema: object) -> int:
    request = urllib.request.Request(
        f"{system['SCHEMA_REGISTRY_URL']}/subjects/{subject}/versions",
        json.dumps({"schema": json.dumps(schema)}).encode(),
        {"Content-Type": "application/vnd.schemaregistry.v1+json"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return int(json.load(response)["id"])


def subjects(registered: dict[str, str]) -> list[str]:
    with urllib.request.urlopen(f"{registered['SCHEMA_REGISTRY_URL']}/subjects", timeout=10) as response:
        listed: list[str] = json.load(response)
        return listed
