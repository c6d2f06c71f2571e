"""Toss Payments' API: how it is asked for a payment, and what its Payment object says."""

import base64
import hmac
from typing import Any

import msgspec

from providers import api_support
from providers.contract import ApiRequest, Contradicted, Received, Translation, Unsupported
from providers.parsing.fields import ABSENT, Id, Instant, StrictOptional, Text
from providers.parsing.money import EMPTY, currency_code, minor_units, minor_units_or_none
from providers.parsing.timestamps import is_present, korean
from stream.events import Cancel, PaymentNotice, PaymentStatus, Question

STATUSES: dict[str, PaymentStatus] = {
    "READY": "pending",
    "IN_PROGRESS": "pending",
    "WAITING_FOR_DEPOSIT": "waiting_for_deposit",
    "DONE": "completed",
    "PARTIAL_CANCELED": "partially_cancelled",
    "CANCELED": "cancelled",
    "ABORTED": "failed",
    "FAILED": "failed",
    "EXPIRED": "expired",
}
_BEGUN = frozenset(STATUSES) - {"READY", "IN_PROGRESS"}
_FOLLOW = {
    "WAITING_FOR_DEPOSIT": _BEGUN,
    "ABORTED": _BEGUN,
    "FAILED": _BEGUN,
    "EXPIRED": _BEGUN,
    # A deposit that failed after all takes a payment from DONE back to WAITING_FOR_DEPOSIT.
    "DONE": frozenset({"DONE", "WAITING_FOR_DEPOSIT", "PARTIAL_CANCELED", "CANCELED"}),
    "PARTIAL_CANCELED": frozenset({"PARTIAL_CANCELED", "CANCELED"}),
    "CANCELED": frozenset({"CANCELED"}),
}
"""What a payment can be once it was what a webhook claims. A claim that the answer contradicts was never true."""


class TossCancel(msgspec.Struct):
    cancelAmount: msgspec.Raw = ABSENT
    transactionKey: Id | None = None
    cancelReason: Text | None = None
    canceledAt: Instant = ABSENT
    cancelStatus: StrictOptional[Text] = None

    @property
    def is_done(self) -> bool:
        """Only overseas wallets give back later than they are asked to."""
        return self.cancelStatus in (None, "", "DONE")


class TossFailure(msgspec.Struct):
    message: Text | None = None


class TossPayment(msgspec.Struct):
    """Of Toss's Payment object what we use; never its card."""

    paymentKey: Id
    orderId: Id
    status: Text
    lastTransactionKey: Id | None = None
    method: Text | None = None
    totalAmount: msgspec.Raw = ABSENT
    balanceAmount: msgspec.Raw = ABSENT
    currency: StrictOptional[Text] = None
    requestedAt: Instant = ABSENT
    approvedAt: Instant = ABSENT
    secret: Text | None = None
    cancels: StrictOptional[list[TossCancel]] = None
    failure: TossFailure | None = None


class WebhookEvidence(msgspec.Struct):
    """What a webhook itself says that its question does not."""

    createdAt: Instant = ABSENT
    secret: Any = None
    data: Any = None


_payment = msgspec.json.Decoder(TossPayment)
_clue = msgspec.json.Decoder(WebhookEvidence)


def build_request(question: Question, key: str) -> ApiRequest:
    """`GET /v1/payments/{paymentKey}` or `/v1/payments/orders/{orderId}`, with the secret key as the user's name."""
    credentials = base64.b64encode(f"{key}:".encode()).decode()
    folder = "/v1/payments/orders/" if question.subject == "order" else "/v1/payments/"
    return ApiRequest(
        "GET", folder + api_support.segment(question.reference), {"Authorization": f"Basic {credentials}"}
    )


def read_response(question: Question, received: Received, answer: bytes) -> Translation:
    """What Toss says is true of the payment now, whatever the webhook says.

    Raises Untrue when the payment is another's or never was what is claimed, or the deposit's secret is not its own.
    """
    payment = api_support.read(_payment, answer)
    if payment.status not in STATUSES:
        raise Unsupported(f"{payment.status} is no status that Toss documents")
    clue = api_support.read(_clue, received.body)
    _check(question, payment, clue)
    stated = korean(clue.createdAt, "createdAt") if question.claims.get("status") == payment.status else None
    changed_at = min(stated, received.received_at) if stated else None
    notice = _notice(payment)
    return Translation(
        notice,
        f"payment.{notice.status}",
        _happened_at(payment, notice, changed_at, received.received_at),
        _event_id(payment, changed_at),
    )


def _check(question: Question, payment: TossPayment, clue: WebhookEvidence) -> None:
    asked = payment.orderId if question.subject == "order" else payment.paymentKey
    if asked != question.reference:
        raise Contradicted("Toss answers of another payment than was asked for")
    api_support.check_order(question, payment.orderId)
    if question.claims.get("event") == "DEPOSIT_CALLBACK" and not _is_its_secret(payment, clue):
        raise Contradicted("the deposit callback's secret is not the payment's")
    if not api_support.may_have_been(question.claims.get("status"), payment.status, _FOLLOW):
        raise Contradicted(f"the payment is {payment.status}, and never was {question.claims['status']}")
    cancelled = question.claims.get("transactionKey")
    if cancelled and cancelled not in {cancel.transactionKey for cancel in payment.cancels or ()}:
        raise Contradicted("Toss knows of no such cancel of the payment")


def _is_its_secret(payment: TossPayment, clue: WebhookEvidence) -> bool:
    inner = clue.data if isinstance(clue.data, dict) else {}
    given = str(inner.get("secret") or clue.secret)
    return hmac.compare_digest(given.encode(), (payment.secret or "").encode())


def _notice(payment: TossPayment) -> PaymentNotice:
    """What was never approved, such as an account nobody paid into, is cancelled without anything given back."""
    unpaid = payment.status == "CANCELED" and not is_present(payment.approvedAt)
    currency = currency_code(payment.currency)
    amount = minor_units_or_none(payment.totalAmount, currency, "totalAmount")
    return PaymentNotice(
        order_id=payment.orderId,
        status=STATUSES[payment.status],
        method=payment.method or None,
        transaction_id=payment.paymentKey,
        amount=amount,
        currency=currency,
        failure_reason=payment.failure.message if payment.failure else None,
        paid_at=korean(payment.approvedAt, "approvedAt"),
        cancels=() if unpaid else _cancels(payment, currency),
        refunded_amount=0 if unpaid else _given_back(payment, amount, currency),
        references=(payment.paymentKey,),
    )


def _given_back(payment: TossPayment, amount: int | None, currency: str) -> int | None:
    """Return all that was given back, from the remaining balance with points and coupons; None without a balance.

    A cancel that is not done yet may already be taken off what is left: then the cancels alone say it.
    """
    if (
        payment.status not in ("PARTIAL_CANCELED", "CANCELED")
        or not amount
        or bytes(payment.balanceAmount).decode() in EMPTY
    ):
        return None
    if not all(cancel.is_done for cancel in payment.cancels or ()):
        return None
    left = minor_units_or_none(payment.balanceAmount, currency, "balanceAmount") or 0
    return amount - left if 0 <= left < amount else None


def _cancels(payment: TossPayment, currency: str) -> tuple[Cancel, ...]:
    return tuple(
        Cancel(
            id=cancel.transactionKey or f"{payment.paymentKey}:{number}",
            amount=amount,
            reason=cancel.cancelReason,
            cancelled_at=korean(cancel.canceledAt, "canceledAt"),
        )
        for number, cancel in enumerate(payment.cancels or ())
        if cancel.is_done and (amount := minor_units(cancel.cancelAmount, currency, "cancelAmount")) is not None
    )


def _happened_at(payment: TossPayment, notice: PaymentNotice, changed_at: int | None, received_at: int) -> int | None:
    """When the payment became what it is.

    No field of it says so of WAITING_FOR_DEPOSIT, which may come after DONE: the webhook does, and can be forged, so
    it counts no later than it came. Without it, it was so when the webhook came: Toss was asked later still.
    """
    if notice.status == "waiting_for_deposit":
        return changed_at or received_at
    if notice.status == "completed":
        return notice.paid_at
    times = [korean(cancel.canceledAt, "canceledAt") for cancel in payment.cancels or () if cancel.is_done]
    cancelled = [at for at in times if at]
    if notice.status in ("cancelled", "partially_cancelled") and cancelled:
        return max(cancelled)
    return changed_at or korean(payment.requestedAt, "requestedAt")


def _event_id(payment: TossPayment, changed_at: int | None) -> str:
    """Payment, status and last transaction: Toss numbers no events.

    A wait for a deposit has its time besides: a payment can be taken back to it, and an old one, or a forged one,
    must not pass for the new. Cancels that are still under way change without any of the three.
    """
    name = f"{payment.paymentKey}:{payment.status}:{payment.lastTransactionKey or ''}"
    if payment.status == "WAITING_FOR_DEPOSIT" and changed_at:
        return f"{name}:{changed_at}"
    cancels = payment.cancels or []
    done = sum(cancel.is_done for cancel in cancels)
    return name if done == len(cancels) else f"{name}:{done}"
