"""The whole system on a Kafka that demands TLS, names and permissions: with the documented ones, and no other."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs import acls
from local import stack
from local.services import SERVICES
from tests import secured_kafka
from tests.actors import Inbox, Shop, Store, new_order
from tests.secured_kafka import Mechanism, Secured

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
NAMES = tuple(service.name for service in SERVICES)
# They share a broker: on the topics of another system, a new store would miss what the group had read before.
SYSTEMS: dict[Mechanism, dict[str, str]] = {
    "SCRAM-SHA-512": {},
    "PLAIN": {"KAFKA_GROUP_PROTOCOL": "classic", "TOPIC_PREFIX": "shop.", "GROUP_PREFIX": "shop-"},
    "mTLS": {"TOPIC_PREFIX": "acme.", "GROUP_PREFIX": "acme-"},
}
"""How each system connects, and what else is special to it."""


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """The broker, on which each principal may do what the documentation says."""
    with secured_kafka.running(tmp_path_factory.mktemp("secured"), (*NAMES, acls.OPERATOR)) as broker:
        for prefixes in SYSTEMS.values():
            broker.permit(acls.needed(), prefixes.get("TOPIC_PREFIX", ""), prefixes.get("GROUP_PREFIX", ""))
        yield broker


@pytest.fixture(scope="module", params=SYSTEMS)
def system(
    request: pytest.FixtureRequest, secured: Secured, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """A system whose services are principals of their own; a command is the operator."""
    given = secured_kafka.given_to(secured, request.param, NAMES) | SYSTEMS[request.param]
    succeeds(given, "topics", "create")  # with the prefix, which only a process of its own has
    data = tmp_path_factory.mktemp(request.param.lower())
    with stack.everything(ROOT, data, given=given) as env:
        yield env | {"RUN_FOLDER": str(data)}


def test_an_orders_life_and_every_verb_need_no_more_than_the_documented_permissions(
    system: dict[str, str],
) -> None:
    order = new_order()
    customer = f"{order.lower()}@example.test"
    shop = Shop(system["GATEWAY_URL"], system["WEBHOOK_SECRET"])

    shop.post("order", {"orderId": order, "customerEmail": customer, "locale": "en", "amount": 58000})
    shop.post("payment", {"orderId": order, "status": "completed", "amount": 58000})
    shop.post("shipping", {"orderId": order, "status": "delivered", "carrier": "DHL", "trackingNumber": order})
    shop.post("refund", {"orderId": order, "refundId": "R-1", "status": "completed", "amount": 58000})

    assert len(Inbox(system["INBOX_URL"]).wait_for(customer, count=3)) == 3
    payments = Store(system["PAYMENT_DATABASE_URL"])
    assert payments.rows("SELECT status FROM payments WHERE order_id = %s", order) == [{"status": "completed"}]

    succeeds(system, "simulate", "--orders", "2")
    succeeds(system, "simulate", "--provider", "toss")  # which the confirmer has to ask for
    succeeds(system, "status")
    succeeds(system, "verify")
    succeeds(system, "topics", "create")
    succeeds(system, "topics", "check")
    succeeds(system, "topics", "list")
    succeeds(system, "quarantine", "list")
    for service in (name for name in NAMES if name != "gateway"):
        replayed = f"{service}_r{os.getpid()}"
        succeeds(system, "replay", service, "--into", replayed)
        succeeds(system, "replay", "diff", service, replayed)
    succeeds(system, "replay", "promote", "payment", f"payment_r{os.getpid()}")
    succeeds(system, "history", order)


def test_no_password_is_in_a_log_or_a_process_title(system: dict[str, str], secured: Secured) -> None:
    logs = "".join(file.read_text() for file in Path(system["RUN_FOLDER"], "log").glob("*.log"))
    titles = subprocess.run(
        ["ps", "-eo", "args"],  # noqa: S607 - wherever it is
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert "webhook.received" in logs
    assert [name for name, password in secured.passwords.items() if password in logs + titles] == []


def test_a_wrong_password_is_a_sentence_that_names_it_no_further(system: dict[str, str]) -> None:
    wrong = system | {"KAFKA_SASL_PASSWORD": "no-such-password"}
    if "KAFKA_SASL_PASSWORD" not in system:
        pytest.skip("certificates")

    said = run(wrong, "topics", "list")

    assert said.returncode == 1
    assert "authentication" in said.stderr.lower()
    assert "no-such-password" not in said.stderr + said.stdout


def succeeds(system: dict[str, str], *words: str) -> None:
    said = run(system, *words)
    assert said.returncode == 0, f"hookstream {' '.join(words)}: {said.stdout}\n{said.stderr}"


def run(system: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """A command as the operator runs it."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *words],
        cwd=ROOT,
        env={**os.environ, **system},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
