"""Histories of orders of all providers, as records for their topics: in disorder, and some of them twice.

Of each provider there are the webhooks of the simulator's story, translated as the gateway does. Other records are of
cases that no story has: webhooks without an order id, refunds, disputes, cancelled plans, parcels without an order,
invoices that fail.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

import msgspec

from providers import catalogue
from providers.contract import Received
from providers.records import webhook_record
from runtime import clock
from simulator.order import LOCALES, SimulatedOrder
from simulator.stories import STORIES
from simulator.story import SimulatedWebhook
from stream.events import BillingPayload, BillingWebhook, Micros, OrderId, topics
from stream.events.topics import Topic
from tests.builders import MINUTE, NOON, a_dispute, a_payment, a_refund, a_scan, a_transfer, an_envelope, an_invoice
from tests.replays import TopicRecord, a_history

MAILED = 10
"""The number of orders of each provider that have an e-mail address: a mail costs more than all other work."""
ASKED = 40
"""The number of orders of each provider whose webhooks are confirmed at its API, at most ten a second."""
TWICE = 0.1
ENDS = (("Ready", "Pending", "Complete"), ("Pending", "Fail"), ("Ready", "Cancel"), ("Wait", "Reject"))


@dataclass(frozen=True)
class History:
    """A history in phases to be appended one after the other, and the ProviderRecords (JSON) of the simulated APIs."""

    api_records: list[bytes]
    phases: tuple[list[TopicRecord], ...]


def of_all_providers(run: str, size: int, *, seed: int = 0) -> History:
    """Return a history of about `size` records in two phases, the same for the same seed.

    `run` is in all order ids, so that histories of two runs have no order in common. The first phase has what must be
    processed first for the domain events to be the same in any order (see `a_history`).
    """
    chance = random.Random(seed)  # noqa: S311 - a test's disorder
    api_records: list[bytes] = []
    posted: list[TopicRecord] = []
    for number in count(1):
        for provider in STORIES:
            order = SimulatedOrder(f"{run}-{provider}", number, LOCALES[number % 2], _today())
            api_records += _add_story(posted, provider, order)
        posted += _odd_life(f"{run}-odd-{number}", number, chance)
        if len(posted) * (1 + TWICE) >= size:
            break
    early, later = a_history(f"{run}-payments", number, seed=seed)
    posted += [one for one in posted if chance.random() < TWICE] + later
    chance.shuffle(posted)
    return History(api_records, (early, posted))


def name(run: str, provider: str, number: int) -> str:
    """Return the order id of the `number`-th order of a provider, from 1."""
    return SimulatedOrder(f"{run}-{provider}", number, LOCALES[0], _today()).order_id


def _today() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _add_story(posted: list[TopicRecord], provider: str, order: SimulatedOrder) -> list[bytes]:
    """Add the records of a provider's story to `posted`, and return the ProviderRecords that it needs.

    Nothing is added if the story needs a ProviderRecord and the order is beyond ASKED.
    """
    story = STORIES[provider](order)
    known = [one.api for one in story if one.api]
    if known and order.number > ASKED:
        return []
    posted += [_translated(one, is_mailed=order.number <= MAILED) for one in story]
    return known


def _translated(sent: SimulatedWebhook, *, is_mailed: bool) -> TopicRecord:
    """Return the record that the gateway makes of a webhook; without `is_mailed`, the order has no address."""
    headers = {name.lower(): value for name, value in sent.headers}
    received = Received(sent.path, headers, sent.body if is_mailed else _without_reader(sent), Micros(clock.now()))
    provider, kind = catalogue.find(received.path, received.headers)
    return webhook_record(provider, received, "signature", provider.translate(received, kind), "test")


def _without_reader(sent: SimulatedWebhook) -> bytes:
    """Return the webhook's body; that of an order with a customer id instead of the customer's address."""
    if sent.path != "/webhooks/order":
        return sent.body
    stated = msgspec.json.decode(sent.body)
    del stated["customerEmail"]
    return msgspec.json.encode({"customerId": stated["orderId"], **stated})


def _odd_life(name: str, number: int, chance: random.Random) -> Iterator[TopicRecord]:
    yield from _refunded(name, number)
    yield from _subscribed(f"{name}-user", number)
    yield from _on_its_way(name, number, chance)
    yield from _invoiced(name, number)
    yield from _disputed(name, number, chance)


def _disputed(name: str, number: int, chance: random.Random) -> Iterator[TopicRecord]:
    """Yield a dispute of one to three steps that names only the payment; two thirds of the payments name the order."""
    paid, dispute = f"pi-{name}", {"order": None, "alias": f"pi-{name}", "dispute_id": f"dp-{name}"}
    due_at = NOON + 1000 * MINUTE
    for step, status in enumerate(
        ("needs_response", "under_review", chance.choice(("won", "lost", "closed")))[: 1 + number % 3]
    ):
        posted = a_dispute(status, at=NOON + step * MINUTE, evidence_due_by=due_at, name=f"{name} {status}", **dispute)
        yield _on(topics.PAYMENT_WEBHOOKS, posted)
    if number % 3:
        stated = {"transaction_id": paid, "aliases": (paid,), "provider": "stripe"}
        yield _payment(f"{name}-disputed", "completed", 0, **stated)


def _refunded(name: str, number: int) -> Iterator[TopicRecord]:
    """Yield a refund that names only the payment; every fifth payment is missing, every fourth order is paid twice."""
    paid, refund = f"T-{name}", f"R-{name}"
    yield _on(topics.REFUND_WEBHOOKS, a_refund(order=None, refund_id=refund, alias=paid, name=f"{name} back"))
    if number % 5:
        yield _payment(name, "completed", 0, transaction_id=paid)
        pending = a_refund("pending", order=name, refund_id=refund, at=NOON - MINUTE, name=f"{name} to go back")
        yield _on(topics.REFUND_WEBHOOKS, pending)
    if number % 4 == 0:
        yield _payment(name, "completed", 1, transaction_id=f"{paid}-again")


def _subscribed(user: str, number: int) -> Iterator[TopicRecord]:
    """Yield a paid plan with its next billing date; every third is cancelled."""
    order = f"BIZ-{user}-PRO-20231114"
    payload = BillingPayload(order_id=OrderId(order), next_billing_at=Micros(NOON + 100 * MINUTE), amount=58000)
    envelope = an_envelope(payload, name=f"{user} billing", provider="tosspayments")
    yield _on(topics.PAYMENT_WEBHOOKS, BillingWebhook(envelope=envelope, payload=payload))
    yield _payment(order, "completed", 0)
    if number % 3 == 0:
        yield _payment(order, "cancelled", 1)


def _on_its_way(name: str, number: int, chance: random.Random) -> Iterator[TopicRecord]:
    """Yield up to five scans of a parcel in random statuses; the order of every fourth parcel stays unknown."""
    parcel = {"carrier": "CJ대한통운", "carrier_code": "cj", "tracking_number": f"N-{name}"}
    for scan in range(chance.randint(1, 5)):
        status = chance.choice(("preparing", "in_transit", "out_for_delivery", "failed", "delivered"))
        at, order = NOON + chance.randint(0, 3) * MINUTE, name if scan == 0 and number % 4 else None
        yield _on(topics.SHIPPING_WEBHOOKS, a_scan(status, order=order, at=at, name=f"{name} {scan}", **parcel))


def _invoiced(name: str, number: int) -> Iterator[TopicRecord]:
    """Yield the webhooks of an invoice with one of ENDS, and of the transfer that pays it and names the customer."""
    invoice, transfer, states = f"I-{name}", f"tx-{name}", ENDS[number % len(ENDS)]
    for step, state in enumerate(states):
        stated = {"cash_amount": 1000 + number, "transaction_id": transfer, "received_amount": "50", "title": "USDT"}
        reason = "amount_mismatch" if state == "Fail" else None
        posted = an_invoice(
            state, invoice=invoice, at=NOON + step * MINUTE, name=f"{invoice} {state}", reason=reason, **stated
        )
        yield _on(topics.INVOICE_WEBHOOKS, posted)
    paid = a_transfer(transaction=transfer, alias=transfer, customer_id=f"{name}-user", name=transfer)
    yield _on(topics.INVOICE_WEBHOOKS, paid)


def _payment(order: str, status: str, minute: int, **stated: Any) -> TopicRecord:
    posted = a_payment(status, order=order, at=NOON + minute * MINUTE, name=f"{order} {status} {minute}", **stated)
    return _on(topics.PAYMENT_WEBHOOKS, posted)


def _on(topic: Topic, record: Any) -> TopicRecord:
    return topic, topic.key(record), record
