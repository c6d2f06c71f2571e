"""Contract A: what each kind of body says in our words."""

from typing import Any

import pytest

from providers.contract import InvalidField, Malformed, Translation
from providers.generic import webhook as generic
from providers.parsing.notes import Collector
from stream.events import Micros, OrderId, Payload, PaymentPayload, RefundPayload, ShippingPayload
from tests.unit.providers.posted import a_payment, posted

AT = "2023-11-15T10:30:00+09:00"
AT_MICROS = 1_700_011_800_000_000


def translated(kind: str, **changes: Any) -> Translation:
    return generic.translate(posted(changes), kind)


def payload_of(kind: str, **changes: Any) -> Payload:
    return translated(kind, **changes).payload


def test_a_full_payment_is_read_to_the_last_field() -> None:
    changes = a_payment(
        type="payment", paymentMethod="card", transactionId="TXN-20231115-12345", amount=58000, paidAt=AT, new=[1]
    )

    translation = translated("payment", **changes)

    payload = PaymentPayload(
        order_id=OrderId("1"),
        status="completed",
        method="card",
        transaction_id="TXN-20231115-12345",
        amount=58000,
        currency="KRW",
        paid_at=Micros(AT_MICROS),
    )
    assert translation == Translation(payload, "payment.completed", Micros(AT_MICROS), None, None)


def test_a_full_scan_is_read_to_the_last_field() -> None:
    changes = {
        "type": "shipping",
        "orderId": 123,
        "trackingNumber": "123456789012",
        "carrier": "CJ대한통운",
        "status": "in_transit",
        "location": "서울 강남구 물류센터",
        "timestamp": AT,
    }

    translation = translated("shipping", **changes)

    payload = ShippingPayload(
        order_id=OrderId("123"),
        status="in_transit",
        carrier="CJ대한통운",
        carrier_code="cj",
        tracking_number="123456789012",
        location="서울 강남구 물류센터",
        scanned_at=Micros(AT_MICROS),
    )
    assert translation == Translation(payload, "shipping.in_transit", Micros(AT_MICROS), None, None)


def test_a_full_refund_is_read_to_the_last_field() -> None:
    changes = {
        "type": "refund",
        "orderId": "123",
        "refundId": 7,
        "amount": 58000,
        "reason": "단순 변심",
        "status": "completed",
        "processedAt": AT,
    }

    translation = translated("refund", **changes)

    payload = RefundPayload(
        order_id=OrderId("123"),
        refund_id="7",
        status="completed",
        amount=58000,
        reason="단순 변심",
        refunded_at=Micros(AT_MICROS),
    )
    assert translation == Translation(payload, "refund.completed", Micros(AT_MICROS), None, None)


STATUSES = {
    "payment": {
        "pending": "pending",
        "completed": "completed",
        "failed": "failed",
        "cancelled": "cancelled",
        "canceled": "cancelled",
    },
    "shipping": {s: s for s in "preparing in_transit out_for_delivery delivered failed".split()},
    "refund": {s: s for s in "pending processing completed rejected".split()},
}
SMALLEST: dict[str, dict[str, Any]] = {
    "payment": {"orderId": 1},
    "shipping": {"orderId": 1},
    "refund": {"orderId": 1, "refundId": "R-1"},
}
EVERY_STATUS = sorted({status for statuses in STATUSES.values() for status in statuses} | {"refunded", "COMPLETED", ""})


@pytest.mark.parametrize("kind", STATUSES)
@pytest.mark.parametrize("status", EVERY_STATUS)
def test_each_kind_knows_its_own_statuses_and_no_others(kind: str, status: str) -> None:
    ours = STATUSES[kind].get(status)

    if ours is None:
        with pytest.raises(InvalidField, match="status"):
            payload_of(kind, **SMALLEST[kind], status=status)
    else:
        translation = translated(kind, **SMALLEST[kind], status=status)
        assert (translation.payload.status, translation.event_type) == (ours, f"{kind}.{ours}")  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", SMALLEST)
def test_all_but_the_ids_and_the_status_may_be_left_out_or_null(kind: str) -> None:
    status = next(iter(STATUSES[kind]))
    optional = {
        "payment": ["type", "paymentMethod", "transactionId", "amount", "paidAt"],
        "shipping": ["type", "trackingNumber", "carrier", "location", "timestamp"],
        "refund": ["type", "amount", "reason", "processedAt"],
    }[kind]

    left_out = translated(kind, **SMALLEST[kind], status=status)

    assert translated(kind, **SMALLEST[kind], status=status, **dict.fromkeys(optional)) == left_out
    assert left_out.occurred_at is None


@pytest.mark.parametrize(
    ("kind", "missing"),
    [(kind, field) for kind, fields in SMALLEST.items() for field in (*fields, "status")],
)
def test_a_required_field_must_be_there_and_not_null(kind: str, missing: str) -> None:
    fields = {**SMALLEST[kind], "status": "completed" if kind != "shipping" else "delivered"}

    with pytest.raises(InvalidField, match=missing):
        payload_of(kind, **{name: value for name, value in fields.items() if name != missing})
    with pytest.raises(InvalidField, match=missing):
        payload_of(kind, **{**fields, missing: None})


@pytest.mark.parametrize("number", [0, -1, 123, 2**53 + 1, 2**63, 2**64, 10**127])
def test_an_order_is_the_same_as_number_and_as_text(number: int) -> None:
    assert payload_of("payment", **a_payment(orderId=number)) == payload_of("payment", **a_payment(orderId=str(number)))


def test_leading_zeros_make_another_order() -> None:
    assert payload_of("payment", **a_payment(orderId="007")) != payload_of("payment", **a_payment(orderId=7))


@pytest.mark.parametrize("kind", SMALLEST)
@pytest.mark.parametrize("type_", ["payment", "shipping", "refund", "Payment", 1, ""])
def test_a_type_in_the_body_must_be_that_of_the_path(kind: str, type_: Any) -> None:
    fields = {**SMALLEST[kind], "status": "failed" if kind != "refund" else "rejected", "type": type_}

    if type_ in (kind, ""):
        assert payload_of(kind, **fields)
    else:
        with pytest.raises(InvalidField, match="type"):
            payload_of(kind, **fields)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("orderId", 1.5),
        ("orderId", 123.0),
        ("orderId", True),
        ("orderId", [1]),
        ("orderId", 10**128),
        ("status", 1),
        ("amount", "58000"),
        ("amount", {}),
    ],
)
def test_a_mistyped_field_is_refused_by_name(field: str, wrong: Any) -> None:
    with pytest.raises(InvalidField, match=field):
        payload_of("payment", **a_payment(**{field: wrong}))


OPTIONAL = {
    "payment": {"paymentMethod": "method", "transactionId": "transaction_id", "paidAt": "paid_at"},
    "shipping": {
        "trackingNumber": "tracking_number",
        "carrier": "carrier",
        "location": "location",
        "timestamp": "scanned_at",
    },
    "refund": {"reason": "reason", "processedAt": "refunded_at"},
}
EACH_OPTIONAL = [(kind, field, ours) for kind, fields in OPTIONAL.items() for field, ours in fields.items()]


@pytest.mark.parametrize(("kind", "field", "ours"), EACH_OPTIONAL)
@pytest.mark.parametrize("wrong", [1.5, True, [], {}, [[1]], {"a": 1}])
def test_an_optional_field_that_cannot_be_used_costs_itself_and_a_note(
    kind: str, field: str, ours: str, wrong: Any
) -> None:
    fields = {**SMALLEST[kind], "status": next(iter(STATUSES[kind]))}

    with Collector() as notes:
        payload = payload_of(kind, **fields, **{field: wrong})

    assert payload == payload_of(kind, **fields)
    assert getattr(payload, ours) is None
    assert [note.split()[0] for note in notes] == [field]


@pytest.mark.parametrize(("kind", "field", "ours"), EACH_OPTIONAL)
@pytest.mark.parametrize("empty", ["", None])
def test_an_optional_field_that_is_empty_says_nothing_and_is_not_noted(
    kind: str, field: str, ours: str, empty: str | None
) -> None:
    fields = {**SMALLEST[kind], "status": next(iter(STATUSES[kind]))}

    with Collector() as notes:
        assert payload_of(kind, **fields, **{field: empty, "amount": empty}) == payload_of(kind, **fields)
    assert notes == []


@pytest.mark.parametrize(
    ("kind", "field", "ours"), [row for row in EACH_OPTIONAL if row[2] in "method reason location"]
)
def test_a_text_that_is_too_long_is_cut_with_a_note(kind: str, field: str, ours: str) -> None:
    fields = {**SMALLEST[kind], "status": next(iter(STATUSES[kind])), field: "가" * 1001}

    with Collector() as notes:
        assert getattr(payload_of(kind, **fields), ours) == "가" * 1000
    assert notes == [f"{field} is longer than 1000 characters and is cut"]


def test_an_id_that_is_too_long_is_never_cut_to_another() -> None:
    assert payload_of("payment", **a_payment(transactionId="x" * 129)) == payload_of("payment", **a_payment())
    assert payload_of("payment", **a_payment(transactionId="x" * 128)) != payload_of("payment", **a_payment())


def test_a_number_is_an_id_wherever_an_id_stands() -> None:
    payload = payload_of("shipping", orderId=1, status="delivered", trackingNumber=123456789012)

    assert isinstance(payload, ShippingPayload)
    assert payload.tracking_number == "123456789012"


def test_a_complaint_does_not_give_a_long_body_back() -> None:
    with pytest.raises(InvalidField) as refused:
        payload_of("payment", **a_payment(status="\x7f" * 200_000))

    assert len(str(refused.value)) <= 300


def test_what_is_not_json_is_malformed_rather_than_unreadable() -> None:
    with pytest.raises(Malformed):
        generic.translate(posted(b"status=completed"), "payment")


@pytest.mark.parametrize("key", ["k", "00000000-0000-4000-8000-000000000000", "a b", "k" * 255])
def test_the_sender_may_name_the_event_itself(key: str) -> None:
    translation = generic.translate(posted(a_payment(), idempotency_key=key), "payment")

    assert translation.provider_event_id == key


@pytest.mark.parametrize("key", ["", "k" * 256, "a\tb", "\x00", "\x80", "\xad"])
def test_a_name_that_cannot_be_one_is_refused(key: str) -> None:
    with pytest.raises(InvalidField, match="Idempotency-Key"):
        generic.translate(posted(a_payment(), idempotency_key=key), "payment")
