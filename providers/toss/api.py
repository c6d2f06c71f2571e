"""`toss`: Toss Payments' API, not contract C. The request for a payment, and the translation of its response."""

import base64
import hmac

import msgspec

from providers import api_support
from providers.contract import ApiRequest, Contradicted, Received, Translation, Unsupported
from providers.parsing.money import EMPTY, currency_code, minor_units, minor_units_or_none
from providers.parsing.timestamps import is_present, korean
from providers.toss.objects import TossPayment, WebhookEvidence
from stream.events import Cancel, Micros, PaymentPayload, PaymentStatus, VerificationRequest

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
_LATER_STATES = {
    "WAITING_FOR_DEPOSIT": _BEGUN,
    "ABORTED": _BEGUN,
    "FAILED": _BEGUN,
    "EXPIRED": _BEGUN,
    # A deposit that fails after all moves a payment from DONE back to WAITING_FOR_DEPOSIT.
    "DONE": frozenset({"DONE", "WAITING_FOR_DEPOSIT", "PARTIAL_CANCELED", "CANCELED"}),
    "PARTIAL_CANCELED": frozenset({"PARTIAL_CANCELED", "CANCELED"}),
    "CANCELED": frozenset({"CANCELED"}),
}
"""Claimed status → the statuses that may follow it. A claim for which the API's status is not listed was never true."""


_payment = msgspec.json.Decoder(TossPayment)
_evidence = msgspec.json.Decoder(WebhookEvidence)


def build_request(request: VerificationRequest, key: str) -> ApiRequest:
    """Return `GET /v1/payments/{paymentKey}` or `/v1/payments/orders/{orderId}`, with `key` as user name (Basic)."""
    credentials = base64.b64encode(f"{key}:".encode()).decode()
    folder = "/v1/payments/orders/" if request.subject == "order" else "/v1/payments/"
    return ApiRequest("GET", folder + api_support.quoted(request.alias), {"Authorization": f"Basic {credentials}"})


def read_response(request: VerificationRequest, received: Received, response: bytes) -> Translation:
    """Translate the payment's state at Toss, which may be later than the state that the webhook claims.

    Raises Contradicted if the payment or its order is another one, if it never had the claimed status or cancel, or if
    the deposit's secret is not the payment's. Raises Unsupported for an undocumented status, InvalidField for an
    unreadable response.
    """
    payment = api_support.decode(_payment, response)
    if payment.status not in STATUSES:
        raise Unsupported(f"Toss does not document the status {payment.status}")
    evidence = api_support.decode(_evidence, received.body)
    _check(request, payment, evidence)
    stated = korean(evidence.createdAt, "createdAt") if request.claims.get("status") == payment.status else None
    changed_at = min(stated, received.received_at) if stated else None
    payload = _payload(payment)
    return Translation(
        payload,
        f"payment.{payload.status}",
        _happened_at(payment, payload, changed_at, received.received_at),
        _event_id(payment, changed_at),
    )


def _check(request: VerificationRequest, payment: TossPayment, evidence: WebhookEvidence) -> None:
    expected = payment.orderId if request.subject == "order" else payment.paymentKey
    if expected != request.alias:
        raise Contradicted("Toss responded with another payment")
    api_support.check_order(request, payment.orderId)
    if request.claims.get("event") == "DEPOSIT_CALLBACK" and not _has_secret_of(payment, evidence):
        raise Contradicted("the deposit callback's secret is not the payment's")
    if not api_support.may_have_been(request.claims.get("status"), payment.status, _LATER_STATES):
        raise Contradicted(f"the payment is {payment.status}, and was never {request.claims['status']}")
    cancelled = request.claims.get("transactionKey")
    if cancelled and cancelled not in {cancel.transactionKey for cancel in payment.cancels or ()}:
        raise Contradicted("Toss has no such cancel of the payment")


def _has_secret_of(payment: TossPayment, evidence: WebhookEvidence) -> bool:
    inner = evidence.data if isinstance(evidence.data, dict) else {}
    given = str(inner.get("secret") or evidence.secret)
    return hmac.compare_digest(given.encode(), (payment.secret or "").encode())


def _payload(payment: TossPayment) -> PaymentPayload:
    """Return the payload; the payment's status must be in STATUSES.

    A cancelled payment that was never approved, as one without a deposit, gets no cancels and a refunded amount of 0.
    """
    unpaid = payment.status == "CANCELED" and not is_present(payment.approvedAt)
    currency = currency_code(payment.currency)
    amount = minor_units_or_none(payment.totalAmount, currency, "totalAmount")
    return PaymentPayload(
        order_id=payment.orderId,
        status=STATUSES[payment.status],
        method=payment.method or None,
        transaction_id=payment.paymentKey,
        amount=amount,
        currency=currency,
        failure_reason=payment.failure.message if payment.failure else None,
        paid_at=korean(payment.approvedAt, "approvedAt"),
        cancels=() if unpaid else _cancels(payment, currency),
        refunded_amount=0 if unpaid else _refunded_amount(payment, amount, currency),
        aliases=(payment.paymentKey,),
    )


def _refunded_amount(payment: TossPayment, amount: int | None, currency: str) -> int | None:
    """Return the total given back of a cancelled payment, from the remaining balance with points and coupons.

    None for other payments and without a balance. The balance may already be reduced by a cancel that is not done yet:
    then None, and the cancels alone count.
    """
    if (
        payment.status not in ("PARTIAL_CANCELED", "CANCELED")
        or not amount
        or bytes(payment.balanceAmount).decode() in EMPTY
    ):
        return None
    if not all(cancel.is_done for cancel in payment.cancels or ()):
        return None
    balance = minor_units_or_none(payment.balanceAmount, currency, "balanceAmount") or 0
    return amount - balance if 0 <= balance < amount else None


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


def _happened_at(
    payment: TossPayment, payload: PaymentPayload, changed_at: Micros | None, received_at: Micros
) -> Micros | None:
    """Return when the payment reached its status, in microseconds.

    The payment has no such time for WAITING_FOR_DEPOSIT, which may follow DONE. The webhook has one, `changed_at`: it
    may be forged, and is therefore never later than `received_at`. Without it, `received_at` is returned, since Toss
    was asked after that.
    """
    if payload.status == "waiting_for_deposit":
        return changed_at or received_at
    if payload.status == "completed":
        return payload.paid_at
    times = [korean(cancel.canceledAt, "canceledAt") for cancel in payment.cancels or () if cancel.is_done]
    cancelled = [at for at in times if at]
    if payload.status in ("cancelled", "partially_cancelled") and cancelled:
        return max(cancelled)
    return changed_at or korean(payment.requestedAt, "requestedAt")


def _event_id(payment: TossPayment, changed_at: Micros | None) -> str:
    """Return an id made of payment, status and last transaction, since Toss has no event ids.

    WAITING_FOR_DEPOSIT also has its time: a payment can return to it, and an old or forged event must not pass for the
    new one. Cancels that are not done yet change without any of the three, so the number of done cancels is added.
    """
    name = f"{payment.paymentKey}:{payment.status}:{payment.lastTransactionKey or ''}"
    if payment.status == "WAITING_FOR_DEPOSIT" and changed_at:
        return f"{name}:{changed_at}"
    cancels = payment.cancels or []
    done = sum(cancel.is_done for cancel in cancels)
    return name if done == len(cancels) else f"{name}:{done}"
