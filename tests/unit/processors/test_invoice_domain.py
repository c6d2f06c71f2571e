"""What may follow what for invoices and transfers, what is announced then, and how credits add up."""

import json
from typing import Any

import msgspec
import pytest

from processors.invoice.domain import (
    Invoice,
    Transfer,
    apply,
    apply_to_transfer,
    contradicts,
    is_positive,
    with_balances,
)
from processors.invoice.domain.statuses import TRANSFER_TRANSITIONS, TRANSITIONS
from stream.events import (
    CreditAdded,
    CryptoRefundRequested,
    DigitalDeliveryRequested,
    DomainEvent,
    InvoiceCancelled,
    InvoiceCompleted,
    InvoiceFailed,
    InvoicePending,
    InvoiceRejected,
    InvoiceUnderpaid,
    InvoiceWebhook,
    TransferWebhook,
)
from stream.state import registers
from stream.state.fold import Result
from stream.state.json_payload import as_json
from tests.builders import MINUTE, NOON, a_transfer, an_invoice

RANK = {state: rank for rank, tier in enumerate(TRANSITIONS) for state in tier}
SALE: dict[str, Any] = {
    "customer_id": "kim",
    "title": "USDT 10만원 구매",
    "cash_amount": 100000,
    "crypto_amount": "74.074074",
    "crypto_asset": "1001",
    "transaction_id": "tx-1",
}


def apply_all(*webhooks: InvoiceWebhook | TransferWebhook) -> tuple[Invoice, list[DomainEvent]]:
    """The invoice I-1 and what was announced of it, after webhooks that name it and its transfer tx-1."""
    invoice, transfer, published = Invoice("I-1"), Transfer("tx-1"), list[DomainEvent]()
    for webhook in webhooks:
        if webhook.payload.transaction_id:
            transfer, _ = apply_to_transfer(transfer, webhook)
        if webhook.payload.invoice_id or transfer.invoice_id:
            invoice, _, new = apply(invoice, transfer if webhook.payload.transaction_id else None, webhook)
            published += new
    return invoice, published


def kinds(published: list[DomainEvent]) -> list[type[DomainEvent]]:
    return [type(event) for event in published]


@pytest.mark.parametrize("first", RANK)
@pytest.mark.parametrize("second", RANK)
def test_a_later_webhook_moves_an_invoice_on_and_never_back(first: str, second: str) -> None:
    before, _, _ = apply(Invoice("I-1"), None, an_invoice(first))

    after, outcome, _ = apply(before, None, an_invoice(second, at=NOON + MINUTE))

    moves = RANK[second] >= RANK[first]
    assert (after.state, outcome) == ((second, "processed") if moves else (first, "late"))


@pytest.mark.parametrize(
    "path",
    [
        ["Ready", "Pending", "Complete"],
        ["Ready", "Pending", "Fail"],
        ["Ready", "Cancel"],
        ["Ready", "Wait", "Pending", "Complete"],
        ["Ready", "Wait", "Reject"],
    ],
)
def test_each_way_the_provider_describes_can_be_gone(path: list[str]) -> None:
    webhooks = [an_invoice(state, at=NOON + minute * MINUTE) for minute, state in enumerate(path)]
    invoice, seen = Invoice("I-1"), []

    for webhook in webhooks:
        invoice, outcome, _ = apply(invoice, None, webhook)
        seen.append((invoice.state, outcome))

    assert seen == [(state, "processed") for state in path]


@pytest.mark.parametrize(
    ("state", "events"),
    [
        ("Ready", []),
        ("Wait", []),
        ("Pending", [InvoicePending]),
        ("Complete", [InvoiceCompleted, CreditAdded, DigitalDeliveryRequested]),
        ("Fail", [InvoiceFailed]),
        ("Cancel", [InvoiceCancelled]),
        ("Reject", [InvoiceRejected]),
    ],
)
def test_each_state_announces_its_domain_events(state: str, events: list[type[DomainEvent]]) -> None:
    assert kinds(apply_all(an_invoice(state, **SALE))[1]) == events


def test_what_fails_or_expires_after_it_was_completed_is_late_and_nobody_is_told() -> None:
    complete, published = apply_all(an_invoice("Complete", **SALE))

    failed, fail, new = apply(complete, None, an_invoice("Fail", at=NOON + 5 * MINUTE, reason="transaction_failed"))
    expired, cancel, more = apply(failed, None, an_invoice("Cancel", at=NOON + 15 * MINUTE, reason="expired"))

    assert (fail, cancel, new, more) == ("late", "late", (), ())
    assert (expired.state, expired.reason, len(published)) == ("Complete", None, 3)


def test_a_completed_invoice_credits_its_cash_once_however_often_it_is_told() -> None:
    webhooks = [an_invoice("Complete", at=NOON + minute * MINUTE, **SALE) for minute in range(3)]

    _, published = apply_all(*webhooks)

    (credit,) = [event for event in published if isinstance(event, CreditAdded)]
    assert (credit.customer_id, credit.amount, credit.currency) == ("kim", 100000, "KRW")


@pytest.mark.parametrize("left_out", ["customer_id", "cash_amount"])
def test_a_credit_waits_until_the_customer_and_the_amount_are_known(left_out: str) -> None:
    sparse = {name: value for name, value in SALE.items() if name != left_out}

    _, first = apply_all(an_invoice("Complete", **sparse))
    _, both = apply_all(an_invoice("Complete", **sparse), an_invoice("Pending", at=NOON - MINUTE, **SALE))

    assert CreditAdded not in kinds(first)
    assert kinds(both)[-1] is CreditAdded
    assert kinds(both).count(InvoiceCompleted) == 1


def test_a_credit_may_learn_its_customer_from_the_transfer() -> None:
    sparse: dict[str, Any] = {"cash_amount": 100000, "transaction_id": "tx-1"}

    orders: list[list[InvoiceWebhook | TransferWebhook]] = [
        [an_invoice("Complete", **sparse), a_transfer("Complete", invoice_id="I-1", customer_id="kim")],
        [an_invoice("Complete", **sparse), a_transfer("Complete", customer_id="kim")],
        [a_transfer("Pending", customer_id="kim"), an_invoice("Complete", **sparse)],
    ]
    for webhooks in orders:
        invoice, published = apply_all(*webhooks)
        assert kinds(published) == [InvoiceCompleted, CreditAdded]
        assert invoice.registers.customer_id.value == "kim"


def test_what_is_said_of_the_invoice_outranks_what_its_transfer_says() -> None:
    invoice, _ = apply_all(
        an_invoice("Ready", customer_id="kim"), a_transfer("Complete", invoice_id="I-1", customer_id="7", at=NOON * 2)
    )

    assert invoice.registers.customer_id.value == "kim"


@pytest.mark.parametrize("state", ["Pending", "Fail", "Complete"])
def test_a_transfer_alone_moves_no_invoice_and_tells_nobody(state: str) -> None:
    invoice, published = apply_all(an_invoice("Pending"), a_transfer(state, invoice_id="I-1", at=NOON + MINUTE))

    assert (invoice.state, kinds(published)) == ("Pending", [InvoicePending])
    assert invoice.registers.transaction_id.value == "tx-1"


def test_an_invoice_of_which_only_a_transfer_is_known_has_no_state() -> None:
    invoice, published = apply_all(a_transfer("Complete", invoice_id="I-1"))

    assert (invoice.state, published) == (None, [])


def test_a_mismatch_asks_for_what_was_received_to_be_given_back() -> None:
    fields = {"reason": "amount_mismatch", "received_amount": "50.0000000000000000001", "expected_amount": "74.074074"}

    _, published = apply_all(an_invoice("Fail", **{**SALE, **fields}))

    failed, refund = published
    assert isinstance(failed, InvoiceFailed)
    assert (failed.reason, failed.received_amount) == ("amount_mismatch", "50.0000000000000000001")
    assert isinstance(refund, CryptoRefundRequested)
    assert (refund.amount, refund.asset, refund.reason) == ("50.0000000000000000001", "1001", "amount_mismatch")
    assert (refund.customer_id, refund.transaction_id) == ("kim", "tx-1")


@pytest.mark.parametrize(
    "fields",
    [
        {"reason": "amount_mismatch"},
        {"reason": "amount_mismatch", "received_amount": "0.000000"},
        {"reason": "amount_mismatch", "received_amount": "much"},
        {"reason": "transaction_failed", "received_amount": "50"},
    ],
)
def test_nothing_is_asked_back_when_nothing_was_received_or_the_amount_was_right(fields: dict[str, Any]) -> None:
    assert kinds(apply_all(an_invoice("Fail", **fields))[1]) == [InvoiceFailed]


@pytest.mark.parametrize("state", ["Fail", "Cancel", "Reject"])
def test_a_bad_end_without_a_reason_is_unknown(state: str) -> None:
    _, (event,) = apply_all(an_invoice(state))

    assert getattr(event, "reason", None) == "unknown"


def test_the_reason_of_an_end_is_not_that_of_one_it_overtook() -> None:
    invoice, published = apply_all(an_invoice("Cancel", reason="expired"), an_invoice("Fail", at=NOON + MINUTE))

    assert (invoice.reason, published[-1].reason) == ("unknown", "unknown")  # type: ignore[attr-defined]


@pytest.mark.parametrize(("first", "second"), [("Pending", "Fail"), ("Fail", "Complete"), ("Pending", "Complete")])
def test_a_transfer_moves_on_and_never_back(first: str, second: str) -> None:
    transfer, _ = apply_to_transfer(Transfer("tx-1"), a_transfer(first))
    onward, moved = apply_to_transfer(transfer, a_transfer(second, at=NOON + MINUTE))
    back, late = apply_to_transfer(onward, a_transfer(first, at=NOON + 2 * MINUTE))

    assert (onward.registers.state.value, moved) == (second, "processed")
    assert (back.registers.state.value, late) == (second, "late")
    assert [first, second] == sorted([first, second], key=[state for (state,) in TRANSFER_TRANSITIONS].index)


def test_a_transfer_keeps_its_hash_addresses_and_block_whoever_tells_them() -> None:
    by_invoice = an_invoice(
        "Complete", transaction_id="tx-1", transaction_hash="h", from_address="A", to_address="B", block_number=7
    )
    by_itself = a_transfer("Complete", hash="0xh", from_address="A")

    alone, _ = apply_to_transfer(Transfer("tx-1"), by_invoice)
    one, _ = apply_to_transfer(alone, by_itself)
    other, _ = apply_to_transfer(apply_to_transfer(Transfer("tx-1"), by_itself)[0], by_invoice)

    stored = {name: value for name, (_, value) in json.loads(registers.dump(alone.registers)).items()}
    assert stored == {"invoice_id": "I-1", "hash": "h", "from_address": "A", "to_address": "B", "block_number": 7}
    assert one.registers == other.registers
    assert (one.registers.hash.value, one.registers.to_address.value) == ("0xh", "B"), (
        "its own words outrank the invoice's"
    )


def test_a_flat_transfer_finds_its_invoice_by_an_earlier_one_or_by_the_invoice_itself() -> None:
    by_transfer, _ = apply_to_transfer(Transfer("tx-1"), a_transfer("Pending", invoice_id="I-1"))
    by_invoice, _ = apply_to_transfer(Transfer("tx-1"), an_invoice("Pending", transaction_id="tx-1"))

    flat = a_transfer("Complete", at=NOON + MINUTE)
    assert [apply_to_transfer(one, flat)[0].invoice_id for one in (by_transfer, by_invoice)] == ["I-1", "I-1"]


def test_each_credit_is_told_with_the_balance_after_it() -> None:
    def completed(invoice: str, **fields: Any) -> Result:
        _, outcome, events = apply(
            Invoice(invoice), None, an_invoice("Complete", invoice=invoice, **{**SALE, **fields})
        )
        return Result(invoice, outcome, events)

    results = with_balances(
        [completed("I-1"), completed("I-2", cash_amount=5), completed("I-3", cash_currency="USD"), completed("I-4")],
        {("kim", "KRW"): 1000},
    )

    entries = [event for result in results for event in result.events if isinstance(event, CreditAdded)]
    assert [entry.balance for entry in entries] == [101000, 101005, 100000, 201005]
    assert len({entry.entry_id for entry in entries}) == 4


@pytest.mark.parametrize(
    ("amount", "some"),
    [("0.000000000000000000000001", True), ("74.07", True), ("0", False), ("-1", False), ("NaN", False), (None, False)],
)
def test_an_amount_of_nothing_is_none(amount: str | None, some: bool) -> None:
    assert is_positive(amount) is some


@pytest.mark.parametrize(
    "raw", [b'{"cryptoAmount": 74.0740740000000000001}', b"id=1&state=Complete", b"\xff\x00{", b'{"a":', b""]
)
def test_the_last_webhook_is_kept_as_json_whatever_it_was(raw: bytes) -> None:
    stored = as_json(raw)

    msgspec.json.decode(stored)
    assert "\x00" not in stored
    assert stored.encode() == raw or isinstance(msgspec.json.decode(stored), str)


def test_a_title_told_later_asks_for_its_goods_once() -> None:
    _, published = apply_all(
        an_invoice("Complete"), an_invoice("Complete", title="e-book", at=NOON + MINUTE), an_invoice("Complete")
    )

    (delivery,) = [event for event in published if isinstance(event, DigitalDeliveryRequested)]
    assert delivery.title == "e-book"


LOST: list[tuple[str, dict[str, Any]]] = [
    ("Fail", {"reason": "amount_mismatch", "received_amount": "50", "expected_amount": "74"}),
    ("Cancel", {"reason": "expired", "expired_at": NOON + MINUTE}),
    ("Reject", {"reason": "no", "received_amount": "1"}),
]


@pytest.mark.parametrize(("state", "fields"), LOST)
@pytest.mark.parametrize("comes_first", [False, True])
def test_what_a_lost_end_says_is_not_said_of_the_completed_invoice(
    state: str, fields: dict[str, Any], comes_first: bool
) -> None:
    complete = an_invoice("Complete", at=NOON, completed_at=NOON, **SALE)
    lost = an_invoice(state, at=NOON + MINUTE, **fields)

    invoice, _ = apply_all(*([lost, complete] if comes_first else [complete, lost]))

    names = ("state", "completed_at", "received_amount", "expected_amount", "expired_at", "reason")
    assert [getattr(invoice, name) for name in names] == ["Complete", NOON, None, None, None, None]


def test_what_was_received_on_the_way_stands_when_it_is_completed() -> None:
    invoice, _ = apply_all(an_invoice("Pending", received_amount="74.07"), an_invoice("Complete", at=NOON + MINUTE))

    assert invoice.received_amount == "74.07"


def test_a_credited_invoice_that_is_called_underpaid_is_told_to_the_operator_once() -> None:
    complete = an_invoice("Complete", at=NOON, **SALE)
    fields = {"reason": "amount_mismatch", "received_amount": "50", "expected_amount": "74.074074"}
    fails = [an_invoice("Fail", at=NOON + n * MINUTE, **fields) for n in (5, 6)]

    invoice, published = apply_all(complete, *fails)

    assert invoice.state == "Complete"
    assert kinds(published) == [InvoiceCompleted, CreditAdded, DigitalDeliveryRequested, InvoiceUnderpaid]
    underpaid = published[-1]
    assert isinstance(underpaid, InvoiceUnderpaid)
    assert (underpaid.received_amount, underpaid.expected_amount, underpaid.amount) == ("50", "74.074074", 100000)


def test_a_second_amount_of_a_completed_invoice_is_a_contradiction_and_credits_nothing() -> None:
    first = an_invoice("Complete", customer_id="kim", cash_amount=1000, name="first")
    other = an_invoice("Complete", customer_id="kim", cash_amount=2000, at=NOON + MINUTE, name="other")
    nothing = an_invoice("Complete", customer_id="kim", cash_amount=0, at=NOON + MINUTE, name="nothing")
    pending = an_invoice("Pending", customer_id="kim", cash_amount=2000, name="pending")

    credited, _ = apply_all(first)
    after, published = apply_all(first, other)

    assert [contradicts(credited, one) for one in (first, other, nothing, pending)] == [False, True, False, False]
    assert [event.amount for event in published if isinstance(event, CreditAdded)] == [1000]
    # The row does not depend on the order in which they came; the credit does.
    assert after.registers.cash_amount.value == apply_all(other, first)[0].registers.cash_amount.value == 2000


@pytest.mark.parametrize("at", [None, NOON])
def test_an_amount_of_nothing_takes_no_credit_away_in_whatever_order_it_comes(at: int | None) -> None:
    whole = an_invoice("Complete", at=at, customer_id="kim", cash_amount=1000)
    nothing = [
        an_invoice("Complete", at=later, name=name, customer_id="kim", cash_amount=0)
        for name in "abcdef"
        for later in (at, at and at + MINUTE)
    ]

    for none in nothing:
        for webhooks in ((whole, none), (none, whole)):
            invoice, published = apply_all(*webhooks)
            assert [event.amount for event in published if isinstance(event, CreditAdded)] == [1000]
            assert (invoice.registers.cash_amount.value, invoice.registers.cash_currency.value) == (1000, "KRW")
    free, published = apply_all(nothing[0])
    assert (free.registers.cash_amount.value, free.registers.cash_currency.value) == (0, "KRW")
    assert kinds(published) == [InvoiceCompleted]


def test_an_invoice_completed_after_it_was_called_underpaid_is_right() -> None:
    fail = an_invoice("Fail", at=NOON, reason="amount_mismatch", received_amount="50")
    for webhooks in (
        [fail, an_invoice("Complete", at=NOON + MINUTE)],
        [an_invoice("Complete", at=NOON + MINUTE), fail],
    ):
        assert InvoiceUnderpaid not in kinds(apply_all(*webhooks)[1])
