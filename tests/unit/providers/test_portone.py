"""PortOne V1 and V2: questions in every shape they come in, and what the APIs' answers make true."""

from typing import Any

import pytest

from providers.contract import (
    ApiRequest,
    Contradicted,
    Forged,
    InvalidField,
    Malformed,
    NotKnownYet,
    Provider,
    RefusedWebhook,
    Stale,
    Unsupported,
)
from providers.portone_v1 import api as portone_v1_api
from providers.portone_v1 import webhook as portone_v1
from providers.portone_v2 import api
from providers.portone_v2 import webhook as portone_v2
from stream.events import Cancel, Micros, OrderId, PaymentPayload, VerificationRequest
from tests.unit.providers.api_answers import SECRET, answered, payment, received, translated, verification_request
from tests.unit.providers.posted import NOW
from tests.unit.providers.samples import every, fields, sample

V1, V2 = portone_v1.PROVIDER, portone_v2.PROVIDER
PAID_AT, CANCELLED_AT = 1_700_000_000, 1_700_003_600
V1_WEBHOOK = {"imp_uid": "imp_1", "merchant_uid": "O-1", "status": "paid"}
V2_KINDS = "Ready Paid VirtualAccountIssued PartialCancelled Cancelled Failed PayPending CancelPending".split()
V2_IGNORED = (
    "Transaction.Confirm BillingKey.Ready BillingKey.Issued "
    "BillingKey.Failed BillingKey.Deleted BillingKey.Updated TaxInvoice.Issued Transaction. Transaction .Paid Paid "
    "Something.New transaction.Paid"
).split()
FORM = "application/x-www-form-urlencoded"


def v1_answer(**changes: Any) -> dict[str, Any]:
    translation = {
        "imp_uid": "imp_1",
        "merchant_uid": "O-1",
        "status": "paid",
        "amount": 10000,
        "cancel_amount": 0,
        "cancel_history": [],
        "currency": "KRW",
        "pay_method": "card",
        "pg_tid": "pg_1",
        "card_number": "1234567890123456",
        "started_at": PAID_AT - 60,
        "paid_at": PAID_AT,
        "failed_at": 0,
        "cancelled_at": 0,
        "fail_reason": None,
    }
    return {"code": 0, "message": None, "response": translation | changes}


def v1_cancels(*amounts: int) -> list[dict[str, Any]]:
    return [
        {
            "pg_tid": f"pg_c{n}",
            "amount": amount,
            "cancelled_at": CANCELLED_AT,
            "reason": "변심",
            "cancellation_id": f"c{n}",
        }
        for n, amount in enumerate(amounts)
    ]


def v2_webhook(event: str = "Paid", **data: str) -> dict[str, Any]:
    return {
        "type": f"Transaction.{event}",
        "timestamp": "2024-04-25T10:00:00.000Z",
        "data": {"storeId": "store-1", "paymentId": "O-1", "transactionId": "tx_1", **data},
    }


def v2_answer(status: str = "PAID", **changes: Any) -> dict[str, Any]:
    return {
        "status": status,
        "id": "O-1",
        "transactionId": "tx_1",
        "storeId": "store-1",
        "version": "V2",
        "requestedAt": "2023-11-14T22:12:20Z",
        "updatedAt": "2023-11-14T22:13:20Z",
        "statusChangedAt": "2023-11-14T22:13:20Z",
        "orderName": "티셔츠",
        "amount": {"total": 10000, "taxFree": 0, "discount": 0, "paid": 10000, "cancelled": 0, "cancelledTaxFree": 0},
        "currency": "KRW",
        "customer": {"name": "김민지"},
        "method": {"type": "PaymentMethodCard", "card": {"number": "12345678****1234"}},
        "paidAt": "2023-11-14T22:13:20Z",
        "pgTxId": "pg_1",
        **changes,
    }


def v2_cancellation(number: int, amount: int, status: str = "SUCCEEDED") -> dict[str, Any]:
    return {
        "status": status,
        "id": f"c{number}",
        "totalAmount": amount,
        "taxFreeAmount": 0,
        "vatAmount": 0,
        "reason": "변심",
        "requestedAt": "2023-11-14T23:13:20Z",
        "cancelledAt": "2023-11-14T23:13:20Z",
    }


def test_v1_a_payload_is_a_verification_request() -> None:
    translation = translated(V1, sample("portone_v1", "webhook.paid"))

    assert translation.payload == VerificationRequest(
        subject="payment", alias="imp_1234567890", order_id=OrderId("order_id_8237352"), claims={"status": "paid"}
    )


def test_v1_a_form_says_the_same_as_json() -> None:
    body = b"imp_uid=imp_1&merchant_uid=O-1&status=paid"

    assert received(V1, body).headers["content-type"] == FORM
    assert translated(V1, body) == translated(V1, V1_WEBHOOK)


def test_v1_the_content_type_is_kept_for_reading_it_again() -> None:
    assert V1.select_headers(received(V1, b"imp_uid=imp_1").headers) == {"content-type": FORM}


def test_v1_the_escrows_notices_are_unsupported() -> None:
    escrow = {"event": "Inicis.Escrow.Changed", "imp_uid": "imp_1", "status": "paid", "extra": {"escrow_status": 2}}

    with pytest.raises(Unsupported):
        translated(V1, escrow)
    with pytest.raises(Unsupported):
        translated(V1, b"event=Inicis.Escrow.Changed&imp_uid=imp_1")


@pytest.mark.parametrize(
    "body",
    [{}, {"imp_uid": ""}, {"imp_uid": 5.0}, {"imp_uid": "a\nb"}, [], b"", b"imp_uid", b"imp_uid=", b"imp_uid=%00"],
)
def test_v1_what_names_no_payment_is_refused(body: Any) -> None:
    with pytest.raises(RefusedWebhook):
        translated(V1, body)


def test_v1_is_asked_with_a_ready_token() -> None:
    assert portone_v1_api.build_request(verification_request(V1, V1_WEBHOOK), "token") == ApiRequest(
        "GET", "/payments/imp_1", {"Authorization": "token"}
    )


def test_v1_a_payment_is_read_to_the_last_field() -> None:
    translation = answered(V1, V1_WEBHOOK, v1_answer())

    assert translation.payload == PaymentPayload(
        order_id=OrderId("O-1"),
        status="completed",
        method="card",
        transaction_id="imp_1",
        pg_transaction_id="pg_1",
        amount=10000,
        paid_at=Micros(PAID_AT * 1_000_000),
        aliases=("imp_1", "pg_1"),
    )
    assert (translation.event_type, translation.occurred_at) == ("payment.completed", PAID_AT * 1_000_000)
    assert translation.provider_event_id == "imp_1:completed"


def test_v1_what_was_given_back_comes_as_entries() -> None:
    answer = v1_answer(status="cancelled", cancel_amount=10000, cancel_history=v1_cancels(4000, 6000))

    payload = payment(V1, V1_WEBHOOK | {"status": "cancelled", "cancellation_id": "c1"}, answer)

    assert (payload.status, payload.refunded_amount) == ("cancelled", 10000)
    assert payload.cancels[1] == Cancel(
        id="c1", amount=6000, reason="변심", cancelled_at=Micros(CANCELLED_AT * 1_000_000)
    )


def test_v1_each_part_cancel_is_an_event_though_the_status_stays() -> None:
    parts = [
        answered(V1, V1_WEBHOOK, v1_answer(cancel_amount=1000 * n, cancel_history=v1_cancels(*[1000] * n)))
        for n in (1, 2)
    ]

    assert {part.event_type for part in parts} == {"payment.partially_cancelled"}
    assert len({part.provider_event_id for part in parts}) == 2


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": "ready"}, "pending"),
        ({"status": "ready", "pay_method": "vbank"}, "waiting_for_deposit"),
        ({"status": "failed", "failed_at": PAID_AT, "fail_reason": "한도초과"}, "failed"),
        ({"status": "cancelled"}, "cancelled"),
    ],
)
def test_v1_each_status_is_one_of_ours(changes: dict[str, Any], expected: str) -> None:
    assert payment(V1, {"imp_uid": "imp_1"}, v1_answer(**changes)).status == expected


@pytest.mark.parametrize(
    ("claim", "answer"),
    [
        ({"status": "paid"}, v1_answer(status="ready")),
        ({"status": "paid"}, v1_answer(status="failed")),
        ({"status": "cancelled"}, v1_answer()),
        ({"status": "failed"}, v1_answer(status="ready")),
        ({"merchant_uid": "O-2"}, v1_answer()),
        ({"imp_uid": "imp_2"}, v1_answer()),
        ({"status": "cancelled", "cancellation_id": "c9"}, v1_answer(status="cancelled", cancel_history=v1_cancels(1))),
    ],
)
def test_v1_what_the_answer_contradicts_is_untrue(claim: dict[str, str], answer: dict[str, Any]) -> None:
    with pytest.raises(Contradicted):
        answered(V1, V1_WEBHOOK | claim, answer)


def test_v1_an_account_nobody_paid_into_is_cancelled_and_nothing_given_back() -> None:
    answer = v1_answer(status="cancelled", pay_method="vbank", paid_at=0, cancel_history=v1_cancels(10000))

    payload = payment(V1, V1_WEBHOOK | {"status": "cancelled", "cancellation_id": "c0"}, answer)

    assert (payload.status, payload.refunded_amount, payload.cancels) == ("cancelled", 0, ())


def test_v2_an_account_nobody_paid_into_is_cancelled_and_nothing_given_back() -> None:
    answer = v2_answer("CANCELLED", paidAt=None, cancellations=[v2_cancellation(0, 10000)])

    payload = payment(V2, v2_webhook("Cancelled"), answer)

    assert (payload.status, payload.refunded_amount, payload.cancels) == ("cancelled", 0, ())


def test_v1_a_payment_told_to_have_failed_may_have_succeeded() -> None:
    assert payment(V1, V1_WEBHOOK | {"status": "failed"}, v1_answer()).status == "completed"


def test_v1_no_such_payment_is_not_known_yet() -> None:
    with pytest.raises(NotKnownYet):
        answered(V1, V1_WEBHOOK, {"code": -1, "message": "존재하지 않는 결제정보입니다.", "response": None})


@pytest.mark.parametrize(
    "answer", [b"", b"<html>", [], {"response": {}}, v1_answer(status="new"), v1_answer(amount="1")]
)
def test_v1_an_answer_that_is_no_payment_is_unreadable(answer: Any) -> None:
    with pytest.raises((InvalidField, Unsupported)):
        answered(V1, V1_WEBHOOK, answer)


@pytest.mark.parametrize("event", V2_KINDS)
def test_v2_what_tells_of_a_payment_is_a_verification_request(event: str) -> None:
    translation = translated(V2, v2_webhook(event))

    assert translation.event_type == f"Transaction.{event}"
    assert translation.payload == VerificationRequest(
        subject="payment", alias="O-1", order_id=OrderId("O-1"), claims={"event": event, "transaction_id": "tx_1"}
    )


@pytest.mark.parametrize(
    "body", [{"payment_id": "O-1", "tx_id": "tx_1", "status": "Paid"}, b"payment_id=O-1&tx_id=tx_1&status=Paid"]
)
def test_v2_the_older_version_says_the_same_as_json_and_as_a_form(body: Any) -> None:
    assert translated(V2, body) == translated(V2, v2_webhook("Paid"))


@pytest.mark.parametrize("kind", V2_IGNORED)
def test_v2_what_tells_of_no_change_of_a_payment_is_unsupported(kind: str) -> None:
    with pytest.raises(Unsupported):
        translated(V2, {"type": kind, "data": 5})


@pytest.mark.parametrize(
    "name", [name for name in every("portone_v2") if not name.startswith(("Transaction.Can", "v2024-01-01.R"))]
)
def test_v2_samples_of_other_things_are_unsupported(name: str) -> None:
    with pytest.raises(Unsupported):
        translated(V2, sample("portone_v2", name))


@pytest.mark.parametrize("name", ["Transaction.Cancelled", "v2024-01-01.Ready"])
def test_v2_samples_of_payments_are_verification_requests(name: str) -> None:
    assert verification_request(V2, sample("portone_v2", name)).alias == "example-payment-id"


@pytest.mark.parametrize("body", [v2_webhook(), b"payment_id=O-1&status=Paid"])
def test_v2_is_proved_by_standard_webhooks(body: Any) -> None:
    assert V2.verify(received(V2, body), [b"d2hhdA==", SECRET]) == "signature"
    with pytest.raises(Forged):
        V2.verify(received(V2, body), [b"d2hhdA=="])


def test_v2_a_quarantined_one_can_be_verified_and_read_again() -> None:
    posted = received(V2, b"payment_id=O-1&status=Paid")

    assert V2.select_headers(posted.headers) == posted.headers


def test_v2_an_old_one_is_stale() -> None:
    old = received(V2, v2_webhook(), at=NOW - 301_000_000)

    with pytest.raises(Stale):
        V2.verify(received(V2, v2_webhook(), old.headers), [SECRET])


def test_v2_a_bad_signature_is_answered_400() -> None:
    assert {V2.refusals[cause].status for cause in ("invalid_signature", "stale_timestamp")} == {400}


def test_v2_is_asked_with_its_secret() -> None:
    assert api.build_request(verification_request(V2, v2_webhook()), "key") == ApiRequest(
        "GET", "/payments/O-1", {"Authorization": "PortOne key"}
    )


def test_v2_a_payment_is_read_to_the_last_field() -> None:
    translation = answered(V2, v2_webhook(), v2_answer())

    assert translation.payload == PaymentPayload(
        order_id=OrderId("O-1"),
        status="completed",
        method="Card",
        transaction_id="tx_1",
        pg_transaction_id="pg_1",
        amount=10000,
        paid_at=NOW,
        aliases=("tx_1", "pg_1"),
    )
    assert (translation.event_type, translation.occurred_at) == ("payment.completed", NOW)
    assert translation.provider_event_id == "O-1:tx_1:PAID:"


def test_v2_amounts_are_in_minor_units_already() -> None:
    payload = payment(V2, v2_webhook(), v2_answer(amount={"total": 150}, currency="USD"))

    assert (payload.amount, payload.currency) == (150, "USD")


def test_v2_only_cancels_that_succeeded_are_entries() -> None:
    cancellations = [
        v2_cancellation(0, 1000),
        v2_cancellation(1, 2000, "REQUESTED"),
        v2_cancellation(2, 3000, "FAILED"),
    ]
    answer = v2_answer("PARTIAL_CANCELLED", cancellations=cancellations, cancelledAt="2023-11-14T23:13:20Z")

    translation = answered(V2, v2_webhook("PartialCancelled"), answer)

    assert isinstance(translation.payload, PaymentPayload)
    assert translation.payload.cancels == (
        Cancel(id="c0", amount=1000, reason="변심", cancelled_at=Micros(NOW + 3_600_000_000)),
    )
    assert translation.occurred_at == NOW + 3_600_000_000
    assert translation.provider_event_id == "O-1:tx_1:PARTIAL_CANCELLED:c0"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("READY", "pending"),
        ("PAY_PENDING", "pending"),
        ("VIRTUAL_ACCOUNT_ISSUED", "waiting_for_deposit"),
        ("FAILED", "failed"),
        ("PARTIAL_CANCELLED", "partially_cancelled"),
        ("CANCELLED", "cancelled"),
    ],
)
def test_v2_each_status_is_one_of_ours(status: str, expected: str) -> None:
    answer = v2_answer(status, failure={"reason": "한도초과"} if status == "FAILED" else None)

    assert payment(V2, v2_webhook("Ready"), answer).status == expected


@pytest.mark.parametrize(
    ("event", "status"),
    [("Paid", "READY"), ("Paid", "FAILED"), ("Cancelled", "PAID"), ("PartialCancelled", "PAID"), ("Failed", "READY")],
)
def test_v2_a_signed_webhook_ahead_of_the_api_is_asked_again(event: str, status: str) -> None:
    with pytest.raises(NotKnownYet):
        answered(V2, v2_webhook(event), v2_answer(status))


def test_v2_an_answer_about_another_payment_is_untrue() -> None:
    with pytest.raises(Contradicted):
        answered(V2, v2_webhook(), v2_answer(id="O-2"))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        [],
        {},
        v2_answer("NEW"),
        v2_answer(amount={"total": "one"}),
        v2_answer(amount={"total": 1.5}),
        v2_answer(amount={"total": -1}),
        v2_answer(currency="WON"),
    ],
)
def test_v2_an_answer_that_is_no_payment_is_unreadable(answer: Any) -> None:
    with pytest.raises((InvalidField, Unsupported)):
        answered(V2, v2_webhook(), answer)


@pytest.mark.parametrize(
    ("provider", "body", "answer"), [(V1, V1_WEBHOOK, v1_answer()), (V2, v2_webhook(), v2_answer())]
)
def test_the_card_is_nowhere_in_what_is_told(provider: Provider, body: Any, answer: Any) -> None:
    assert "12345678" not in str(answered(provider, body, answer))


@pytest.mark.parametrize("provider", [V1, V2], ids=["V1", "V2"])
def test_a_form_is_read_as_one_only_when_it_says_so(provider: Provider) -> None:
    with pytest.raises(Malformed):
        translated(provider, b"imp_uid=imp_1", {"content-type": "application/json"})


def test_a_sample_is_what_the_documentation_shows() -> None:
    assert fields("portone_v1", "webhook.paid")["status"] == "paid"
