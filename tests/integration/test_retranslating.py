"""A bug in a translator is repaired in what it has already translated: the bytes are kept, and read again."""

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest

from providers import catalogue
from providers.addressing import KeyedWebhook
from providers.contract import Received
from providers.records import webhook_record
from runtime import clock
from stream.events import Micros
from tests.actors import Store, new_order
from tests.log import append
from tests.replays import ask, until_handled

pytestmark = pytest.mark.long


def test_what_a_bug_made_of_webhooks_is_found_and_repaired(system: dict[str, str], payments: Store) -> None:
    order, name = new_order(), f"r_{new_order().lower().replace('-', '_')}"
    mistaken = as_if_cents(order, 58000)
    append(system, mistaken.topic, mistaken.key, mistaken.webhook)
    assert payments.wait_for(AMOUNT, order) == [{"amount": 580, "version": 1}]
    until_handled(system, "payment")

    ask(system, "payment", "replay", "--into", name, "--retranslate")
    found = ask(system, "payment", "replay", "diff", name, "--limit", "100000")
    ask(system, "payment", "replay", "promote", name)

    assert f'payments {order}\n  live   {{"amount": 580' in found
    assert payments.rows(AMOUNT, order) == [{"amount": 58000, "version": 1}]
    append(system, mistaken.topic, mistaken.key, mistaken.webhook)  # it comes again as it was translated then
    until_handled(system, "payment")
    assert payments.rows(AMOUNT, order) == [{"amount": 58000, "version": 1}]
    ask(system, "payment", "replay", "rollback")
    assert payments.rows(AMOUNT, order) == [{"amount": 580, "version": 1}]


@pytest.fixture(autouse=True)
def nothing_stays(system: dict[str, str], payments: Store) -> Iterator[None]:
    yield
    for schema in payments.rows("SELECT nspname AS name FROM pg_namespace WHERE starts_with(nspname, 'r_')"):
        ask(system, "payment", "replay", "drop", schema["name"])


AMOUNT = "SELECT amount, version FROM payments WHERE order_id = %s"


def as_if_cents(order: str, amount: int) -> KeyedWebhook:
    """The record of a genuine webhook by a translator that thinks that the won has cents."""
    body = msgspec.json.encode({"orderId": order, "status": "completed", "amount": amount})
    received = Received("/webhooks/payment", {}, body, Micros(clock.now()))
    provider, kind = catalogue.find(received.path, received.headers)
    published = provider.translate(received, kind)
    wrong = msgspec.structs.replace(published.payload, amount=amount // 100)
    return webhook_record(provider, received, "signature", replace(published, payload=wrong), "test")
