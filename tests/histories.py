"""What befell the orders of all providers, as records on their topics: in disorder, and some of them twice.

Each provider tells the simulator's story of it, read by its own translator. Beside that go lives that no story has:
webhooks that name no order yet, refunds, disputes, plans that end, parcels of nobody, invoices that fail.
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
from simulator.order import LOCALES, Order
from simulator.stories import STORIES
from simulator.story import Webhook
from stream.events import BillingPayload, BillingWebhook, Micros, OrderId, topics
from stream.events.topics import Topic
from tests.builders import MINUTE, NOON, a_dispute, a_payment, a_refund, a_scan, a_transfer, an_envelope, an_invoice
from tests.replays import Told, a_history

MAILED = 10
"""So many lives of each provider have a reader: a mail costs more than all else that becomes of a webhook."""
ASKED = 40
"""So many lives of a provider that is asked what is true: ten times a second and no more."""
TWICE = 0.1
ENDS = (("Ready", "Pending", "Complete"), ("Pending", "Fail"), ("Ready", "Cancel"), ("Wait", "Reject"))


@dataclass(frozen=True)
class History:
    """What the providers' APIs know, and what was told, act after act."""

    known: list[bytes]
    acts: tuple[list[Told], ...]


def of_all_providers(run: str, size: int, *, seed: int = 0) -> History:
    """About so many records; `run` is in all their names."""
    chance = random.Random(seed)  # noqa: S311 - a test's disorder
    known: list[bytes] = []
    posted: list[Told] = []
    for number in count(1):
        for provider in STORIES:
            known += _tell(posted, provider, Order(f"{run}-{provider}", number, LOCALES[number % 2], _today()))
        posted += _odd_life(f"{run}-odd-{number}", number, chance)
        if len(posted) * (1 + TWICE) >= size:
            break
    early, later = a_history(f"{run}-payments", number, seed=seed)
    posted += [one for one in posted if chance.random() < TWICE] + later
    chance.shuffle(posted)
    return History(known, (early, posted))


def name(run: str, provider: str, number: int) -> str:
    """The order of a provider's life of that number."""
    return Order(f"{run}-{provider}", number, LOCALES[0], _today()).order_id


def _today() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _tell(posted: list[Told], provider: str, order: Order) -> list[bytes]:
    """Tell a provider's story of an order; what its API knows of it."""
    story = STORIES[provider](order)
    known = [one.api for one in story if one.api]
    if known and order.number > ASKED:
        return []
    posted += [_translated(one, is_mailed=order.number <= MAILED) for one in story]
    return known


def _translated(sent: Webhook, *, is_mailed: bool) -> Told:
    """The record that the gateway makes of it."""
    headers = {name.lower(): value for name, value in sent.headers}
    received = Received(sent.path, headers, sent.body if is_mailed else _without_reader(sent), Micros(clock.now()))
    provider, kind = catalogue.find(received.path, received.headers)
    return webhook_record(provider, received, "signature", provider.translate(received, kind), "test")


def _without_reader(sent: Webhook) -> bytes:
    """The shop names its customer, and nobody tells that one's address."""
    if sent.path != "/webhooks/order":
        return sent.body
    said = msgspec.json.decode(sent.body)
    del said["customerEmail"]
    return msgspec.json.encode({"customerId": said["orderId"], **said})


def _odd_life(name: str, number: int, chance: random.Random) -> Iterator[Told]:
    yield from _refunded(name, number)
    yield from _subscribed(f"{name}-user", number)
    yield from _on_its_way(name, number, chance)
    yield from _invoiced(name, number)
    yield from _disputed(name, number, chance)


def _disputed(name: str, number: int, chance: random.Random) -> Iterator[Told]:
    """A dispute that names only the payment, of which every third order tells; it is answered, and most are settled."""
    paid, dispute = f"pi-{name}", {"order": None, "alias": f"pi-{name}", "dispute_id": f"dp-{name}"}
    due_at = NOON + 1000 * MINUTE
    for step, status in enumerate(
        ("needs_response", "under_review", chance.choice(("won", "lost", "closed")))[: 1 + number % 3]
    ):
        posted = a_dispute(status, at=NOON + step * MINUTE, evidence_due_by=due_at, name=f"{name} {status}", **dispute)
        yield _on(topics.PAYMENT_WEBHOOKS, posted)
    if number % 3:
        said = {"transaction_id": paid, "aliases": (paid,), "provider": "stripe"}
        yield _payment(f"{name}-disputed", "completed", 0, **said)


def _refunded(name: str, number: int) -> Iterator[Told]:
    """The refund names only the payment, of every fifth one that nobody tells of; every fourth is paid twice."""
    paid, refund = f"T-{name}", f"R-{name}"
    yield _on(topics.REFUND_WEBHOOKS, a_refund(order=None, refund_id=refund, alias=paid, name=f"{name} back"))
    if number % 5:
        yield _payment(name, "completed", 0, transaction_id=paid)
        pending = a_refund("pending", order=name, refund_id=refund, at=NOON - MINUTE, name=f"{name} to go back")
        yield _on(topics.REFUND_WEBHOOKS, pending)
    if number % 4 == 0:
        yield _payment(name, "completed", 1, transaction_id=f"{paid}-again")


def _subscribed(user: str, number: int) -> Iterator[Told]:
    """A plan that will be billed again; every third ends."""
    order = f"BIZ-{user}-PRO-20231114"
    payload = BillingPayload(order_id=OrderId(order), next_billing_at=Micros(NOON + 100 * MINUTE), amount=58000)
    envelope = an_envelope(payload, name=f"{user} billing", provider="tosspayments")
    yield _on(topics.PAYMENT_WEBHOOKS, BillingWebhook(envelope=envelope, payload=payload))
    yield _payment(order, "completed", 0)
    if number % 3 == 0:
        yield _payment(order, "cancelled", 1)


def _on_its_way(name: str, number: int, chance: random.Random) -> Iterator[Told]:
    """Scans as they come; of every fourth parcel nobody tells whose it is."""
    parcel = {"carrier": "CJ대한통운", "carrier_code": "cj", "tracking_number": f"N-{name}"}
    for scan in range(chance.randint(1, 5)):
        status = chance.choice(("preparing", "in_transit", "out_for_delivery", "failed", "delivered"))
        at, order = NOON + chance.randint(0, 3) * MINUTE, name if scan == 0 and number % 4 else None
        yield _on(topics.SHIPPING_WEBHOOKS, a_scan(status, order=order, at=at, name=f"{name} {scan}", **parcel))


def _invoiced(name: str, number: int) -> Iterator[Told]:
    """However it ends; a transfer that names the customer pays it."""
    invoice, transfer, states = f"I-{name}", f"tx-{name}", ENDS[number % len(ENDS)]
    for step, state in enumerate(states):
        said = {"cash_amount": 1000 + number, "transaction_id": transfer, "received_amount": "50", "title": "USDT"}
        reason = "amount_mismatch" if state == "Fail" else None
        posted = an_invoice(
            state, invoice=invoice, at=NOON + step * MINUTE, name=f"{invoice} {state}", reason=reason, **said
        )
        yield _on(topics.INVOICE_WEBHOOKS, posted)
    paid = a_transfer(transaction=transfer, alias=transfer, customer_id=f"{name}-user", name=transfer)
    yield _on(topics.INVOICE_WEBHOOKS, paid)


def _payment(order: str, status: str, minute: int, **said: Any) -> Told:
    posted = a_payment(status, order=order, at=NOON + minute * MINUTE, name=f"{order} {status} {minute}", **said)
    return _on(topics.PAYMENT_WEBHOOKS, posted)


def _on(topic: Topic, record: Any) -> Told:
    return topic, topic.key(record), record
