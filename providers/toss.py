"""Toss Payments: its payment webhooks carry no proof, so the payment is asked for at its API."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import msgspec

from providers import body
from providers.contract import (
    Ask,
    Inquiry,
    NotKnownYet,
    Provider,
    Received,
    Translation,
    Unreadable,
    Unsupported,
    Untrue,
    json_answer,
)
from providers.fields import Id, Instant, OrderId, micros
from providers.money import NOT_SAID, minor_units
from stream.events import PaymentNotice, Question, Verification

STATUSES: dict[str, Any] = {
    "WAITING_FOR_DEPOSIT": "waiting_for_deposit",
    "DONE": "completed",
    "CANCELED": "cancelled",
    "PARTIAL_CANCELED": "partially_cancelled",
    "ABORTED": "failed",
    "EXPIRED": "expired",
}


class Named(msgspec.Struct):
    status: str | None = None
    orderId: OrderId | None = None
    paymentKey: Id | None = None


class Body(Named):
    eventType: str | None = None
    data: Named | None = None


class Payment(msgspec.Struct):
    status: str
    orderId: OrderId
    paymentKey: Id
    currency: str = "KRW"
    totalAmount: msgspec.Raw = NOT_SAID
    method: str | None = None
    approvedAt: Instant | None = None
    lastTransactionKey: str | None = None


_body = msgspec.json.Decoder(Body)
_payment = msgspec.json.Decoder(Payment)


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:  # noqa: ARG001
    """Nothing proves it."""
    return "unsigned_allowed"


def sign(payload: bytes, secret: bytes, at: int = 0) -> dict[str, str]:  # noqa: ARG001
    """The headers of a payment webhook prove nothing."""
    return {}


def translate(received: Received, kind: str) -> Translation:  # noqa: ARG001
    """What has to be asked."""
    told = body.read(_body, received.body)
    payment = told.data or told
    if payment.status is None:
        raise Unsupported(f"{told.eventType} is nothing we act on")
    if payment.paymentKey is None and payment.orderId is None:
        raise Unreadable("neither paymentKey nor orderId is given")
    order = None if payment.orderId is None else str(payment.orderId)
    subject, reference = ("payment", payment.paymentKey) if payment.paymentKey else ("order", str(order))
    claims = {"status": payment.status}
    question = Question(subject=subject, reference=reference, order_id=order, claims=claims)
    return Translation(question, told.eventType or "DEPOSIT_CALLBACK", None)


def ask(question: Question, key: str) -> Ask:
    """A request for the payment."""
    below = "" if question.subject == "payment" else "orders/"
    proof = b64encode(f"{key}:".encode()).decode()
    return Ask("GET", f"/v1/payments/{below}{_quoted(question.reference)}", {"Authorization": f"Basic {proof}"})


def _quoted(name: str) -> str:
    """As a part of a path (RFC 3986 §2.1)."""
    return "".join(
        chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else f"%{byte:02X}" for byte in name.encode()
    )


def read_answer(question: Question, received: Received, answer: bytes) -> Translation:  # noqa: ARG001
    """The payment as Toss knows it."""
    payment = body.read(_payment, answer)
    if question.order_id is not None and str(payment.orderId) != question.order_id:
        raise Untrue("the payment is another order's")
    if payment.status not in STATUSES:
        if payment.status == "IN_PROGRESS":
            raise NotKnownYet("the payment is in progress")
        raise Untrue(f"the payment is {payment.status}")
    at = micros(payment.approvedAt, "approvedAt")
    notice = PaymentNotice(
        order_id=str(payment.orderId),
        status=STATUSES[payment.status],
        method=payment.method,
        transaction_id=payment.paymentKey,
        amount=minor_units(payment.totalAmount, payment.currency),
        currency=payment.currency,
        paid_at=at,
    )
    return Translation(notice, f"PAYMENT.{payment.status}", at, f"{payment.paymentKey}:{payment.lastTransactionKey}")


PROVIDER = Provider(
    name="toss",
    paths={"/api/webhooks/toss": "payment"},
    secret_setting="TOSS_WEBHOOK_SECRET",  # noqa: S106 - the name of the setting
    verify=verify,
    translate=translate,
    sign=sign,
    kept_headers=frozenset({"tosspayments-webhook-transmission-id"}),
    answer=lambda event_id, event_type: json_answer(200, {"received": True}),  # noqa: ARG005
    is_unsigned=True,
    inquiry=Inquiry("https://api.tosspayments.com", ask, read_answer),
)
