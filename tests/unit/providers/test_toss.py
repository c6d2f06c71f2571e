"""Toss Payments: what is a question, who signs, and what an answer makes true."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from providers.contract import ApiRequest, Contradicted, Forged, InvalidField, Received, RefusedWebhook, Unsupported
from providers.toss import api
from providers.toss import webhook as toss
from stream.events import Cancel, Micros, OrderId, PaymentPayload, VerificationRequest
from tests.unit.providers.api_answers import NONE, SECRET, answered, payment, received, translated, verification_request
from tests.unit.providers.samples import every, fields, sample

PROVIDER = toss.PROVIDER
KEY = "5EnNZRJGvaBX7zk2yd8ydw26XvwXkLrx9POLqKQjmAw4b0e1"
ORDER = "a4CWyWY5m89PNh7xJwhk1"
DONE = "api.payment-object.DONE"
CANCELED = "api.payment-object.CANCELED"
APPROVED = 1_707_794_294_000_000  # 2024-02-13T12:18:14+09:00
CANCELLED = 1_707_794_423_000_000
CHANGED = 1_707_800_000_000_000  # 2024-02-13T13:53:20+09:00
CHANGED_TEXT = "2024-02-13T13:53:20.00000"
VECTOR = json.loads(sample("toss", "vectors"))[0]
KEY_OF_PAYOUTS = VECTOR["security_key"].encode()
ITS_OWN = "s3cret"
VERIFICATION_REQUESTS = {
    "PAYMENT_STATUS_CHANGED.DONE.composed": ("payment", KEY, ORDER),
    "DEPOSIT_CALLBACK.DONE": ("order", "EbUYmJ4Q9EANnTWta8dok", "EbUYmJ4Q9EANnTWta8dok"),
}
PLACEHOLDERS = "PAYMENT_STATUS_CHANGED.DONE.docs-excerpt"


def changed(status: str, **changes: Any) -> dict[str, Any]:
    return {
        "eventType": "PAYMENT_STATUS_CHANGED",
        "createdAt": CHANGED_TEXT,
        "data": {"paymentKey": KEY, "orderId": ORDER, "status": status, **changes},
    }


def deposited(status: str = "DONE", **changes: Any) -> dict[str, Any]:
    return {"createdAt": CHANGED_TEXT, "secret": "s3cret", "status": status, "orderId": ORDER, **changes}


def paid(**changes: Any) -> dict[str, Any]:
    return fields("toss", DONE, **changes)


def payout(headers: Mapping[str, str] = NONE, *, secret: bytes = KEY_OF_PAYOUTS) -> Received:
    return received(PROVIDER, sample("toss", "payout.changed.COMPLETED"), headers, secret=secret)


@pytest.mark.parametrize("name", VERIFICATION_REQUESTS)
def test_a_payments_webhook_is_a_verification_request(name: str) -> None:
    requested = verification_request(PROVIDER, sample("toss", name))

    assert (requested.subject, requested.alias, requested.order_id) == VERIFICATION_REQUESTS[name]
    assert requested.claims["status"] == "DONE"


def test_contract_b_the_flat_body_is_a_verification_request_about_its_order() -> None:
    translation = translated(PROVIDER, {"eventType": "PAYMENT_STATUS_CHANGED", "orderId": "123", "status": "DONE"})

    assert translation.event_type == "PAYMENT_STATUS_CHANGED"
    assert translation.payload == VerificationRequest(
        subject="order",
        alias="123",
        order_id=OrderId("123"),
        claims={"event": "PAYMENT_STATUS_CHANGED", "status": "DONE"},
    )


def test_the_deposits_secret_stays_in_the_body() -> None:
    assert "s3cret" not in str(verification_request(PROVIDER, deposited()))


def test_a_deposit_callback_without_its_secret_is_no_deposit_callback() -> None:
    with pytest.raises(Unsupported):
        translated(PROVIDER, {"status": "DONE", "orderId": ORDER})
    with pytest.raises(InvalidField, match="secret"):
        translated(PROVIDER, {"eventType": "DEPOSIT_CALLBACK", "status": "DONE", "orderId": ORDER})


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in every("toss")
        if name not in VERIFICATION_REQUESTS and not name.startswith("api.") and name != PLACEHOLDERS
    ],
)
def test_what_tells_of_no_payment_that_could_be_asked_for_is_unsupported(name: str) -> None:
    with pytest.raises(Unsupported):
        translated(PROVIDER, sample("toss", name))


def test_a_payment_key_that_is_a_placeholder_of_the_documentation_is_a_name_to_ask_for() -> None:
    assert isinstance(translated(PROVIDER, sample("toss", PLACEHOLDERS)).payload, VerificationRequest)


def test_an_unknown_event_with_data_of_any_shape_is_unsupported() -> None:
    shapes: list[Any] = [[], "x", 1, None, {"paymentKey": 5}]
    for data in shapes:
        with pytest.raises(Unsupported):
            translated(PROVIDER, {"eventType": "SOMETHING_NEW", "data": data})


def test_a_cancel_that_names_its_payment_is_asked_for_and_must_be_among_its_cancels() -> None:
    cancel = {"paymentKey": KEY, "transactionKey": "090A796806E726BBB929F4A2CA7DB9A7", "cancelStatus": "DONE"}
    body = {"eventType": "CANCEL_STATUS_CHANGED", "data": cancel}

    assert payment(PROVIDER, body, sample("toss", CANCELED)).status == "cancelled"
    with pytest.raises(Contradicted, match="no such cancel"):
        answered(PROVIDER, body, paid())


@pytest.mark.parametrize("signature", ["signature_if_key_hex_decoded", "signature_if_key_used_as_ascii"])
def test_a_payout_is_proved_by_either_reading_of_the_key(signature: str) -> None:
    request = payout({toss.SIGNATURE: VECTOR[signature], toss.TIME: VECTOR[toss.TIME]})

    assert PROVIDER.verify(request, [KEY_OF_PAYOUTS]) == "signature"


@pytest.mark.parametrize("secret", [b"any text at all", b"00" * 32, "열쇠".encode()])
def test_what_toss_signs_is_verified_by_any_live_key(secret: bytes) -> None:
    assert PROVIDER.verify(payout(secret=secret), [b"another", secret]) == "signature"


def test_one_right_signature_among_several_is_enough() -> None:
    right = payout().headers[toss.SIGNATURE]

    for given in (f"v1:AAAA,{right}", f"{right},v1:AAAA", f"v1:AAAA, {right}"):
        changed_header = payout({toss.SIGNATURE: given})
        assert PROVIDER.verify(changed_header, [KEY_OF_PAYOUTS]) == "signature"


@pytest.mark.parametrize(
    "headers",
    [
        {toss.SIGNATURE: ""},
        {toss.SIGNATURE: "v1:"},
        {toss.SIGNATURE: "v1"},
        {toss.SIGNATURE: "ÿ" * 50},
        {toss.SIGNATURE: "v2:" + VECTOR["signature_if_key_hex_decoded"][3:]},
        {toss.TIME: "2024-09-05T12:19:22+09:00"},
    ],
)
def test_a_payout_without_its_signature_is_forged(headers: dict[str, str]) -> None:
    with pytest.raises(Forged):
        PROVIDER.verify(payout(headers), [KEY_OF_PAYOUTS])


@pytest.mark.parametrize("name", ["payout.changed.COMPLETED", "seller.changed.KYC_REQUIRED"])
def test_a_payout_signed_by_another_is_forged(name: str) -> None:
    with pytest.raises(Forged):
        PROVIDER.verify(received(PROVIDER, sample("toss", name), secret=b"other"), [SECRET])


def test_nothing_proves_a_payments_webhook() -> None:
    assert PROVIDER.verify(received(PROVIDER, changed("DONE")), [SECRET]) == "unsigned_allowed"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 100_000, b'{"eventType":' + b"[" * 3000, b"\xff", b'{"eventType":5}']
)
def test_what_cannot_be_read_is_left_to_be_refused_by_its_reader(body: bytes) -> None:
    assert PROVIDER.verify(received(PROVIDER, body), [SECRET]) == "unsigned_allowed"
    with pytest.raises(RefusedWebhook):
        translated(PROVIDER, body)


def test_a_payment_is_asked_for_by_its_key_or_by_its_order() -> None:
    authorization = {"Authorization": "Basic dGVzdF9zazo="}  # "test_sk:"

    assert api.build_request(verification_request(PROVIDER, changed("DONE")), "test_sk") == ApiRequest(
        "GET", f"/v1/payments/{KEY}", authorization
    )
    assert (
        api.build_request(verification_request(PROVIDER, deposited()), "test_sk").path == f"/v1/payments/orders/{ORDER}"
    )


def test_a_reference_cannot_leave_its_place_in_the_path() -> None:
    requested = verification_request(
        PROVIDER, {"eventType": "PAYMENT_STATUS_CHANGED", "orderId": "주#1+@=", "status": "DONE"}
    )

    assert api.build_request(requested, "k").path == "/v1/payments/orders/%EC%A3%BC%231%2B%40%3D"


def test_a_payment_done_is_read_to_the_last_field() -> None:
    translation = answered(PROVIDER, changed("DONE"), paid())

    assert translation.payload == PaymentPayload(
        order_id=OrderId(ORDER),
        status="completed",
        method="카드",
        transaction_id=KEY,
        amount=1000,
        paid_at=Micros(APPROVED),
        aliases=(KEY,),
    )
    assert (translation.event_type, translation.occurred_at) == ("payment.completed", APPROVED)
    assert translation.provider_event_id == f"{KEY}:DONE:9C62B18EEF0DE3EB7F4422EB6D14BC6E"


def test_what_was_given_back_comes_as_entries() -> None:
    translation = answered(PROVIDER, changed("CANCELED"), sample("toss", CANCELED))

    assert isinstance(translation.payload, PaymentPayload)
    assert (translation.payload.status, translation.occurred_at) == ("cancelled", CANCELLED)
    assert translation.payload.cancels == (
        Cancel(
            id="090A796806E726BBB929F4A2CA7DB9A7",
            amount=1000,
            reason="테스트 결제 취소",
            cancelled_at=Micros(CANCELLED),
        ),
    )


DONE_CANCEL: dict[str, Any] = {"cancelAmount": 300, "transactionKey": "c1", "cancelStatus": "DONE"}


@pytest.mark.parametrize(
    ("status", "balance", "cancels", "given_back"),
    [
        ("PARTIAL_CANCELED", 700, [DONE_CANCEL], 300),
        # Points and coupons are given back as well, and older answers list no cancels.
        ("PARTIAL_CANCELED", 600, [DONE_CANCEL], 400),
        ("PARTIAL_CANCELED", 700, None, 300),
        ("CANCELED", 0, None, 1000),
        # What is under way is taken off the balance, and not given back yet.
        ("PARTIAL_CANCELED", 200, [DONE_CANCEL, DONE_CANCEL | {"cancelStatus": "IN_PROGRESS"}], None),
        ("PARTIAL_CANCELED", None, [DONE_CANCEL], None),
        ("PARTIAL_CANCELED", 1000, [DONE_CANCEL], None),
        ("PARTIAL_CANCELED", 2000, [DONE_CANCEL], None),
        ("DONE", 1000, None, None),
    ],
)
def test_what_is_left_of_a_payment_says_what_was_given_back_in_all(
    status: str, balance: int | None, cancels: list[dict[str, Any]] | None, given_back: int | None
) -> None:
    answer = fields("toss", CANCELED, status=status, balanceAmount=balance, cancels=cancels)

    payload = answered(PROVIDER, changed(status), answer).payload

    assert isinstance(payload, PaymentPayload)
    assert (payload.amount, payload.refunded_amount) == (1000, given_back)


def test_an_account_nobody_paid_into_is_cancelled_and_nothing_given_back() -> None:
    translation = answered(PROVIDER, changed("CANCELED"), fields("toss", CANCELED, approvedAt=None))

    assert isinstance(translation.payload, PaymentPayload)
    assert (translation.payload.status, translation.payload.refunded_amount, translation.payload.cancels) == (
        "cancelled",
        0,
        (),
    )
    assert translation.occurred_at == CANCELLED


def test_the_card_is_nowhere_in_what_is_told() -> None:
    for name in (DONE, CANCELED):
        assert "12345678" not in str(answered(PROVIDER, changed("DONE"), sample("toss", name)))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("READY", "pending"),
        ("IN_PROGRESS", "pending"),
        ("WAITING_FOR_DEPOSIT", "waiting_for_deposit"),
        ("DONE", "completed"),
        ("PARTIAL_CANCELED", "partially_cancelled"),
        ("CANCELED", "cancelled"),
        ("ABORTED", "failed"),
        ("EXPIRED", "expired"),
    ],
)
def test_contract_b_each_status_is_one_of_ours(status: str, expected: str) -> None:
    assert payment(PROVIDER, changed(status), paid(status=status)).status == expected


def test_contract_b_failed_is_a_claim_that_the_answer_decides() -> None:
    body = {"eventType": "PAYMENT_STATUS_CHANGED", "orderId": ORDER, "status": "FAILED"}
    failure = {"code": "REJECT_CARD_PAYMENT", "message": "한도초과"}

    payload = payment(PROVIDER, body, paid(status="ABORTED", failure=failure, approvedAt=None))

    assert (payload.status, payload.failure_reason) == ("failed", "한도초과")


def test_money_is_in_minor_units_of_its_currency() -> None:
    payload = payment(PROVIDER, changed("DONE"), paid(totalAmount=10.5, currency="USD"))

    assert (payload.amount, payload.currency) == (1050, "USD")


@pytest.mark.parametrize("claimed", ["DONE", "CANCELED", "PARTIAL_CANCELED"])
@pytest.mark.parametrize("actual", ["READY", "IN_PROGRESS", "ABORTED", "EXPIRED"])
def test_what_never_came_true_is_untrue(claimed: str, actual: str) -> None:
    with pytest.raises(Contradicted):
        answered(PROVIDER, changed(claimed), paid(status=actual))


@pytest.mark.parametrize(
    ("claimed", "actual"),
    [
        ("WAITING_FOR_DEPOSIT", "DONE"),
        ("DONE", "CANCELED"),
        ("DONE", "PARTIAL_CANCELED"),
        ("DONE", "WAITING_FOR_DEPOSIT"),
        ("PARTIAL_CANCELED", "CANCELED"),
        ("ABORTED", "DONE"),
        ("READY", "DONE"),
        ("A_NEW_STATUS", "DONE"),
    ],
)
def test_of_a_payment_that_moved_on_the_truth_is_told(claimed: str, actual: str) -> None:
    payload = payment(PROVIDER, changed(claimed), paid(status=actual))

    assert payload.status == api.STATUSES[actual]


def test_a_payment_of_another_order_is_untrue() -> None:
    with pytest.raises(Contradicted, match="another order"):
        answered(PROVIDER, changed("DONE"), paid(orderId="another"))


def test_an_answer_about_another_payment_is_untrue() -> None:
    with pytest.raises(Contradicted, match="another payment"):
        answered(PROVIDER, changed("DONE"), paid(paymentKey="another"))


def test_a_deposit_is_told_by_the_payments_own_secret_only() -> None:
    assert payment(PROVIDER, deposited(), paid(secret=ITS_OWN)).status == "completed"
    for secret in ("S3cret", "", None, "s3cret "):
        with pytest.raises(Contradicted, match="secret"):
            answered(PROVIDER, deposited(), paid(secret=secret))


def test_a_deposit_callback_in_an_envelope_is_held_to_its_secret_too() -> None:
    body = {"eventType": "DEPOSIT_CALLBACK", "secret": "s3cret", "data": deposited(secret=ITS_OWN.upper())}

    with pytest.raises(Contradicted, match="secret"):
        answered(PROVIDER, body, paid(secret=ITS_OWN))


def test_a_payment_taken_back_to_wait_for_its_deposit_was_so_when_the_webhook_says_in_korea() -> None:
    translation = answered(PROVIDER, changed("WAITING_FOR_DEPOSIT"), paid(status="WAITING_FOR_DEPOSIT"), at=CHANGED + 5)

    assert translation.occurred_at == CHANGED > APPROVED
    assert translation.provider_event_id == f"{KEY}:WAITING_FOR_DEPOSIT:9C62B18EEF0DE3EB7F4422EB6D14BC6E:{CHANGED}"


def test_a_time_that_is_still_to_come_counts_as_now() -> None:
    """Or a forged one would outlast the deposit that follows."""
    translation = answered(PROVIDER, changed("WAITING_FOR_DEPOSIT"), paid(status="WAITING_FOR_DEPOSIT"), at=CHANGED - 1)

    assert translation.occurred_at == CHANGED - 1


@pytest.mark.parametrize("created_at", [None, "soon", "", 5, "2024-13-45T00:00:00", {}])
def test_without_a_time_of_its_own_the_wait_was_so_when_the_webhook_came(created_at: Any) -> None:
    body = changed("WAITING_FOR_DEPOSIT") | {"createdAt": created_at}

    translation = answered(PROVIDER, body, paid(status="WAITING_FOR_DEPOSIT"), at=CHANGED)

    assert translation.occurred_at == CHANGED


def test_two_waits_for_a_deposit_are_two_events() -> None:
    waiting = paid(status="WAITING_FOR_DEPOSIT")
    bodies = [changed("WAITING_FOR_DEPOSIT") | {"createdAt": f"2024-02-1{day}T00:00:00"} for day in (1, 2)]

    assert len({answered(PROVIDER, body, waiting, at=CHANGED).provider_event_id for body in bodies}) == 2


def test_a_cancel_under_way_is_no_entry_yet_and_its_end_another_event() -> None:
    under_way = fields("toss", CANCELED)
    under_way["cancels"][0]["cancelStatus"] = "IN_PROGRESS"

    before, after = (
        answered(PROVIDER, changed("CANCELED"), answer) for answer in (under_way, fields("toss", CANCELED))
    )

    assert isinstance(before.payload, PaymentPayload)
    assert before.payload.cancels == ()
    assert before.provider_event_id != after.provider_event_id


def test_a_deposit_awaited_is_read_from_a_real_answer() -> None:
    answer = fields("toss", "api.payment-object.WAITING_FOR_DEPOSIT.masked")
    body = {"eventType": "PAYMENT_STATUS_CHANGED", "orderId": answer["orderId"], "status": "WAITING_FOR_DEPOSIT"}

    payload = payment(PROVIDER, body, answer)

    assert (payload.status, payload.method, payload.amount, payload.paid_at) == (
        "waiting_for_deposit",
        "가상계좌",
        11111,
        None,
    )


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"code":"NOT_FOUND_PAYMENT","message":"..."}',
        paid(status="SOMETHING_NEW"),
        paid(totalAmount="1000"),
        paid(currency="XXX"),
    ],
)
def test_an_answer_that_is_no_payment_is_unreadable(answer: Any) -> None:
    with pytest.raises((InvalidField, Unsupported)):
        answered(PROVIDER, changed("DONE"), answer)
