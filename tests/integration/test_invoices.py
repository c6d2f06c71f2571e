"""Crypto invoices on the real system: states, transfers that find their invoice, and credits that add up."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from processors.invoice.handler import handle
from runtime.postgres.engine import engine
from stream.events import (
    CreditAdded,
    CryptoRefundRequested,
    DigitalDeliveryRequested,
    DomainEvent,
    InvoiceCompleted,
    InvoiceFailed,
    InvoicePending,
    InvoiceUnderpaid,
    InvoiceWebhook,
    TransferWebhook,
    topics,
)
from tests.actors import Store, new_order
from tests.builders import MINUTE, NOON, a_transfer, an_invoice
from tests.log import append, reading
from tests.processes import kill

CREDITS = "SELECT invoice_id, amount, currency FROM credits WHERE customer_id = %s"
BALANCE = "SELECT sum(amount)::bigint AS balance, count(*) AS entries FROM credits WHERE customer_id = %s"


@pytest.fixture
def invoices(system: dict[str, str]) -> Store:
    return Store(system["INVOICE_DATABASE_URL"])


def post(system: dict[str, str], *webhooks: InvoiceWebhook | TransferWebhook) -> None:
    for webhook in webhooks:
        key = webhook.payload.invoice_id or f"tapayz:{webhook.payload.transaction_id}"
        append(system, topics.INVOICE_WEBHOOKS, key, webhook)


def sale(customer: str) -> dict[str, Any]:
    return {
        "customer_id": customer,
        "customer_name": "김민수",
        "title": "USDT 10만원 구매",
        "cash_amount": 100000,
        "crypto_amount": "74.074074000000000000000001",
        "crypto_asset": "1001",
    }


def test_an_invoice_is_paid_credited_and_delivered_and_later_ends_are_late(
    system: dict[str, str], invoices: Store
) -> None:
    invoice, customer, transaction = new_order(), new_order(), new_order()
    said = {**sale(customer), "invoice": invoice, "transaction_id": transaction}

    with reading(system, topics.INVOICES) as published:
        post(
            system,
            an_invoice("Pending", at=NOON, **said),
            an_invoice("Complete", at=NOON + MINUTE, completed_at=NOON + MINUTE, **said),
            an_invoice("Fail", at=NOON + 6 * MINUTE, invoice=invoice, reason="amount_mismatch", received_amount="50"),
            an_invoice("Cancel", at=NOON + 16 * MINUTE, invoice=invoice, reason="expired"),
        )
        invoices.wait_for("SELECT 1 FROM invoices WHERE invoice_id = %s AND version = 4", invoice)
        published.wait_for(lambda event: isinstance(event, DigitalDeliveryRequested) and event.invoice_id == invoice)
        announced = [event for event in published.read() if event.invoice_id == invoice]

    assert [type(event) for event in announced] == [
        InvoicePending,
        InvoiceCompleted,
        CreditAdded,
        DigitalDeliveryRequested,
        InvoiceUnderpaid,  # to the operator: its provider calls a credited invoice underpaid
    ]
    (row,) = invoices.rows("SELECT * FROM invoices WHERE invoice_id = %s", invoice)
    assert (row["state"], row["reason"], row["crypto_amount"]) == ("Complete", None, "74.074074000000000000000001")
    assert row["metadata"] == {"webhook": {"from": "a builder"}}
    assert invoices.rows(CREDITS, customer) == [{"invoice_id": invoice, "amount": 100000, "currency": "KRW"}]
    history = "SELECT state, outcome FROM invoice_history WHERE invoice_id = %s ORDER BY occurred_at"
    assert [(row["state"], row["outcome"]) for row in invoices.rows(history, invoice)] == [
        ("Pending", "processed"),
        ("Complete", "processed"),
        ("Fail", "late"),
        ("Cancel", "late"),
    ]


@pytest.mark.long
def test_a_completed_invoice_told_many_times_across_a_killed_processor_is_one_credit(
    system: dict[str, str], invoices: Store
) -> None:
    invoice, customer = new_order(), new_order()
    completed = [
        an_invoice("Complete", at=NOON + minute * MINUTE, invoice=invoice, **sale(customer)) for minute in range(3)
    ]

    post(system, *completed * 5)
    invoices.wait_for(CREDITS, customer)
    kill(system, "INVOICE")
    post(system, *completed * 5, an_invoice("Ready", at=NOON - MINUTE, invoice=invoice))
    invoices.wait_for("SELECT 1 FROM invoices WHERE invoice_id = %s AND version = 4", invoice)

    assert invoices.rows(BALANCE, customer) == [{"balance": 100000, "entries": 1}]


def test_credits_of_one_customer_from_many_partitions_are_told_with_the_balance_after_each(
    system: dict[str, str], invoices: Store
) -> None:
    customer = new_order()

    with reading(system, topics.INVOICES) as published:
        post(system, *(an_invoice("Complete", invoice=new_order(), **sale(customer)) for _ in range(30)))
        published.wait_for(lambda event: isinstance(event, CreditAdded) and event.balance == 3_000_000)
        balances = [event.balance for event in published.records if credits_of(event, customer)]

    assert sorted(balances) == [100000 * n for n in range(1, 31)]
    assert invoices.rows(BALANCE, customer) == [{"balance": 3_000_000, "entries": 30}]


def test_a_credit_waits_until_a_transfer_on_another_partition_names_the_customer(
    system: dict[str, str], invoices: Store
) -> None:
    invoice, customer, transaction = new_order(), new_order(), new_order()

    with reading(system, topics.INVOICES) as published:
        post(system, an_invoice("Complete", invoice=invoice, cash_amount=100000, transaction_id=transaction))
        published.wait_for(lambda event: isinstance(event, InvoiceCompleted) and event.invoice_id == invoice)
        assert not invoices.rows("SELECT 1 FROM credits WHERE invoice_id = %s", invoice)
        post(system, a_transfer("Complete", transaction=transaction, customer_id=customer, amount="1.228607"))
        credit = published.wait_for(lambda event: credits_of(event, customer))

    assert (credit.invoice_id, credit.balance) == (invoice, 100000)
    (transfer,) = invoices.rows("SELECT * FROM transfers WHERE transaction_id = %s", transaction)
    assert (transfer["invoice_id"], transfer["state"], transfer["amount"]) == (invoice, "Complete", "1.228607")
    assert invoices.rows("SELECT kind FROM invoice_history WHERE invoice_id = %s", invoice) == [
        {"kind": "invoice"},
        {"kind": "transfer"},
    ]


def test_what_a_transfer_told_before_its_invoice_was_known_stands_in_the_invoices_history(
    system: dict[str, str], invoices: Store
) -> None:
    invoice, transaction = new_order(), new_order()

    post(system, a_transfer("Pending", transaction=transaction))
    invoices.wait_for("SELECT 1 FROM transfers WHERE transaction_id = %s AND version = 1", transaction)
    post(system, an_invoice("Pending", invoice=invoice, transaction_id=transaction))

    kinds = "SELECT kind FROM invoice_history WHERE invoice_id = %s ORDER BY kind"
    assert invoices.wait_for(kinds, invoice, count=2) == [{"kind": "invoice"}, {"kind": "transfer"}]


def test_a_mismatch_asks_for_the_received_crypto_to_be_given_back_once(system: dict[str, str]) -> None:
    invoice = new_order()
    said = {"reason": "amount_mismatch", "received_amount": "50.000000", "expected_amount": "74.074074"}

    with reading(system, topics.INVOICES) as published:
        for minute in range(3):
            post(system, an_invoice("Fail", at=NOON + minute * MINUTE, invoice=invoice, **said))
        post(system, an_invoice("Complete", at=NOON, invoice=invoice))
        published.wait_for(lambda event: isinstance(event, InvoiceCompleted) and event.invoice_id == invoice)
        ours = [event for event in published.records if event.invoice_id == invoice]

    assert [type(event) for event in ours] == [
        InvoiceFailed,
        CryptoRefundRequested,
        InvoiceCompleted,
        InvoiceUnderpaid,  # its provider had called it so before it was paid in full
    ]
    assert ours[1].amount == "50.000000"


def test_workers_at_once_neither_lock_each_other_out_nor_miss_each_other(
    system: dict[str, str], invoices: Store
) -> None:
    customer, size, workers = new_order(), 40, 4
    names = [new_order() for _ in range(size)]
    store = engine(system["INVOICE_DATABASE_URL"], service="test")
    published = [an_invoice("Complete", invoice=n, cash_amount=1, transaction_id=f"tx-{n}") for n in names]
    flat = [a_transfer("Complete", transaction=f"tx-{n}", customer_id=customer) for n in reversed(names)]
    parts = [batch[n::workers] for batch in (published, flat) for n in range(workers)]

    def work(part: list[Any]) -> list[DomainEvent]:
        events: list[DomainEvent] = []
        for start in range(0, len(part), 3):
            with store.begin() as tx:
                events += [event for result in handle(tx, part[start : start + 3]) for event in result.events]
        return events

    with ThreadPoolExecutor(len(parts)) as pool:
        announced = [event for events in pool.map(work, parts) for event in events]
    store.dispose()

    assert sorted(event.balance for event in announced if isinstance(event, CreditAdded)) == list(range(1, size + 1))
    assert invoices.rows(BALANCE, customer) == [{"balance": size, "entries": size}]


def credits_of(event: DomainEvent, customer: str) -> bool:
    return isinstance(event, CreditAdded) and event.customer_id == customer
