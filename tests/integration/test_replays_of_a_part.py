"""Replays that are asked for more or less than everything, by their command lines: in part, aloud, or in vain."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from stream.events import PaymentCompleted, topics
from tests import failing
from tests.actors import Inbox, Shop, Store, new_order, until
from tests.builders import MINUTE, NOON, a_payment, a_refund, a_scan, a_transfer, an_invoice
from tests.failing import hookstream, pay, refusing
from tests.log import append, reading
from tests.replays import ask, refusal, until_handled
from tests.rest import store

pytestmark = pytest.mark.long

SERVICES = ("payment", "shipping", "refund", "invoice")


@pytest.fixture(autouse=True)
def nothing_stays(system: dict[str, str]) -> Iterator[None]:
    yield
    for service in SERVICES:
        for schema in store(system, service).rows(MADE):
            ask(system, service, "replay", "drop", schema["name"])


MADE = "SELECT nspname AS name FROM pg_namespace WHERE starts_with(nspname, 'r_') OR starts_with(nspname, 'history_')"


def test_what_is_owed_is_announced_once_however_often_that_is_asked_for(
    system: dict[str, str], shop: Shop, inbox: Inbox, payments: Store
) -> None:
    order = ended(system, shop, payments)

    with reading(system, topics.PAYMENTS) as published:
        ask(system, "payment", "replay", "--into", "r_owed")
        shown = ask(system, "payment", "replay", "diff", "r_owed", "--limit", "1000")
        assert (events(published.read(), order), inbox.mails_to(mail_of(order))) == ([], [])

        for name in ("r_owed", "r_owed", "r_again"):
            ask(system, "payment", "replay", "--into", name, "--publish")
        inbox.wait_for(mail_of(order))

        assert [type(event) for event in events(published.read(), order)] == [PaymentCompleted]
    assert f"owed: PaymentCompleted {events(published.records, order)[0].event_id} of {order}" in shown
    assert f"of {order}" not in ask(system, "payment", "replay", "diff", "r_owed", "--limit", "1000")
    until_handled(system, "notifier")
    assert len(inbox.mails_to(mail_of(order))) == 1


def ended(system: dict[str, str], shop: Shop, payments: Store) -> str:
    """An order whose payment the live service has given up on."""
    order = new_order()
    shop.post("order", {"orderId": order, "customerEmail": mail_of(order)})
    with refusing(failing.engine(system), order):
        pay(shop, order)
        payments.wait_for("SELECT 1 FROM retries WHERE key = %s::bytea AND status = 'dead'", order)
    until_handled(system, "payment", "notifier")
    return order


def mail_of(order: str) -> str:
    return f"{order.lower()}@example.test"


def events(published: list[object], order: str) -> list[PaymentCompleted]:
    return [event for event in published if getattr(event, "order_id", None) == order]  # type: ignore[misc]


def test_a_replay_up_to_a_time_is_the_store_as_it_was_and_nothing_to_go_live_with(
    system: dict[str, str], shop: Shop, payments: Store
) -> None:
    order = new_order()
    shop.post("payment", {"orderId": order, "status": "pending", "amount": 58000})
    until_handled(system, "payment")
    then = a_moment()
    pay(shop, order)
    until_handled(system, "payment")

    ask(system, "payment", "replay", "--into", "r_then", "--to", then)

    status = "SELECT status FROM {}.payments WHERE order_id = %s"
    assert payments.rows(status.format("r_then"), order) == [{"status": "pending"}]
    assert payments.rows(status.format("public"), order) == [{"status": "completed"}]
    assert f"payments {order}" in ask(system, "payment", "replay", "diff", "r_then", "--limit", "1000")
    assert "only a full replay can be promoted" in refusal(system, "payment", "replay", "promote", "r_then")
    assert "holds another replay" in refusal(system, "payment", "replay", "--into", "r_then")


def a_moment() -> str:
    """After all that was appended, and before all that will be."""
    moment = time.time() + 0.002
    until(time.time, lambda now: now > moment + 0.002)
    return datetime.fromtimestamp(moment, UTC).isoformat()


def test_an_orders_history_tells_all_that_was_of_it_by_any_name_and_as_it_was_then(system: dict[str, str]) -> None:
    order, intent, other = new_order(), new_order(), new_order()
    publish(system, order, intent)
    until_handled(system, *SERVICES)
    then = a_moment()
    publish_more(system, order, intent)
    publish(system, other, new_order())
    until_handled(system, *SERVICES)

    was, is_, nobodys = (
        hookstream(system, "history", order, "--at", then),
        hookstream(system, "history", order),
        hookstream(system, "history", new_order()),
    )

    assert [was.returncode, is_.returncode, nobodys.returncode] == [0, 0, 1]
    assert published(was.stdout, "payment_history", "status") == ["failed", "completed"]
    assert published(is_.stdout, "payment_history", "status") == ["failed", "completed", "partially_cancelled"]
    assert published(was.stdout, "shipment_history", "status") == ["preparing"]
    assert published(is_.stdout, "shipment_history", "status") == ["preparing", "delivered"]
    assert published(was.stdout, "refund_history", "status") == []
    assert published(is_.stdout, "refund_history", "status") == ["completed"]
    assert other not in is_.stdout
    assert nobodys.stdout.count("the topics have no record of this order") == len(topics.PROCESSORS)
    assert "The topics have no order" in nobodys.stderr
    assert [row for service in SERVICES for row in store(system, service).rows(MADE)] == []


def publish(system: dict[str, str], order: str, intent: str) -> None:
    """Two webhooks of a payment, the first by the provider's name for it; and one of its parcel."""
    failed = a_payment("failed", order=None, alias=intent, at=NOON, name=new_order())
    named: dict[str, Any] = {"aliases": (intent,), "transaction_id": intent}
    paid = a_payment("completed", order=order, at=NOON + MINUTE, name=new_order(), **named)
    for webhook in (failed, paid):
        append(system, topics.PAYMENT_WEBHOOKS, topics.PAYMENT_WEBHOOKS.key(webhook), webhook)
    scan(system, "preparing", order, intent)


def publish_more(system: dict[str, str], order: str, intent: str) -> None:
    """What names only the payment, or the parcel."""
    back = a_payment(
        "partially_cancelled", order=None, alias=intent, refunded_amount=100, at=NOON + 2 * MINUTE, name=new_order()
    )
    append(system, topics.PAYMENT_WEBHOOKS, topics.PAYMENT_WEBHOOKS.key(back), back)
    refund = a_refund("completed", order=None, refund_id=new_order(), alias=intent, name=new_order())
    append(system, topics.REFUND_WEBHOOKS, topics.REFUND_WEBHOOKS.key(refund), refund)
    scan(system, "delivered", None, intent)


def scan(system: dict[str, str], status: str, order: str | None, number: str) -> None:
    at = NOON if order else NOON + MINUTE
    published = a_scan(status, order=order, at=at, carrier_code="cj", tracking_number=number, name=new_order())
    append(system, topics.SHIPPING_WEBHOOKS, topics.SHIPPING_WEBHOOKS.key(published), published)


def published(shown: str, table: str, column: str) -> list[str]:
    lines = [line for line in shown.splitlines() if line.startswith(f"{table}: ")]
    return [line.partition(f'"{column}": "')[2].partition('"')[0] for line in lines]


def test_a_replay_of_some_orders_has_what_names_only_their_payment_and_nothing_of_others(
    system: dict[str, str], payments: Store, refunds: Store
) -> None:
    order, other, invoice = new_order(), new_order(), new_order()
    for one in (order, other):
        publish(system, one, intent := new_order())
        publish_more(system, one, intent)
    bill(system, invoice)
    until_handled(system, *SERVICES)

    for service in SERVICES:
        ask(system, service, "replay", "--into", "r_some", "--orders", f"{order}, {invoice}")

    for service, table, column in (
        ("payment", "payments", "order_id"),
        ("shipping", "shipments", "order_id"),
        ("refund", "refunds", "order_id"),
        ("invoice", "invoices", "invoice_id"),
    ):
        columns = f"{column}, registers::jsonb" if table == "refunds" else f"{column}, registers::jsonb, version"
        live = f"SELECT {columns} FROM public.{table} WHERE {column} IN (%s, %s)"
        made = store(system, service).rows(f"SELECT {columns} FROM r_some.{table}")
        assert made == store(system, service).rows(live, order, invoice)
        assert len(made) == 1


def bill(system: dict[str, str], invoice: str) -> None:
    """An invoice whose customer only the transfer names."""
    billed = an_invoice("Complete", invoice=invoice, cash_amount=1000, transaction_id=f"tx-{invoice}")
    paid = a_transfer(transaction=f"tx-{invoice}", alias=f"tx-{invoice}", customer_id=f"of {invoice}")
    for published in (paid, billed):
        append(system, topics.INVOICE_WEBHOOKS, topics.INVOICE_WEBHOOKS.key(published), published)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("payment", "the following arguments are required: --into"),
        ("payment --into public", "the live service uses the schema public"),
        ("payment --into R;DROP", "cannot be a schema"),
        ("payment --into r_x --to yesterday", "yesterday is not a time"),
        ("payment --into r_x --orders ,", "it names no order"),
        ("payment --into r_x --order 1", "unrecognized arguments"),
        ("payment --into r_x --to 2026-02-03T12:00Z --publish", "the state at that time may have changed since"),
        ("gateway --into r_x", "There is no store of gateway"),
        ("diff", "Name the service"),
        ("diff payment r_nobodys", "there is no replay r_nobodys of payment"),
        ("promote payment r_nobodys", "there is no replay r_nobodys of payment"),
        ("rollback payment", "nothing was promoted"),
        ("drop payment public", "there is no replay public of payment"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence_and_leaves_nothing(
    system: dict[str, str], payments: Store, words: str, sentence: str
) -> None:
    refused = hookstream(system, "replay", *words.split())

    assert refused.returncode != 0
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr
    assert payments.rows("SELECT nspname FROM pg_namespace WHERE nspname = 'r_x'") == []


def test_a_time_that_is_none_has_no_history(system: dict[str, str]) -> None:
    refused = hookstream(system, "history", new_order(), "--at", "yesterday")

    assert refused.returncode != 0
    assert "yesterday is not a time" in refused.stderr
