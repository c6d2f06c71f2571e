"""PortOne V2's API: the request for a payment, and its Payment object."""

import msgspec

from providers import api_support
from providers.contract import ApiRequest, Contradicted, NotKnownYet, Received, Translation, Unsupported
from providers.parsing.fields import present
from providers.parsing.money import currency_code, whole_units
from providers.parsing.timestamps import is_present, korean
from providers.portone_v2.objects import PaymentAmount, PortoneFailure, PortoneV2Payment
from stream.events import Cancel, PaymentPayload, PaymentStatus, VerificationRequest

STATUSES: dict[str, PaymentStatus] = {
    "READY": "pending",
    "PAY_PENDING": "pending",
    "VIRTUAL_ACCOUNT_ISSUED": "waiting_for_deposit",
    "FAILED": "failed",
    "PAID": "completed",
    "PARTIAL_CANCELLED": "partially_cancelled",
    "CANCELLED": "cancelled",
}
_PAID = frozenset({"PAID", "PARTIAL_CANCELLED", "CANCELLED"})
_ISSUED = frozenset({"VIRTUAL_ACCOUNT_ISSUED", "FAILED"}) | _PAID
LATER_STATES = {
    "Paid": _PAID,
    "PartialCancelled": frozenset({"PARTIAL_CANCELLED", "CANCELLED"}),
    "Cancelled": frozenset({"CANCELLED"}),
    "VirtualAccountIssued": _ISSUED,
    "Failed": _ISSUED,
    "Ready": frozenset(STATUSES),
    "PayPending": frozenset(STATUSES),
    "CancelPending": _PAID,
}
"""Event of a payment → the statuses that the payment may have afterwards."""

_payment = msgspec.json.Decoder(PortoneV2Payment)


def build_request(request: VerificationRequest, key: str) -> ApiRequest:
    """Return `GET /payments/{paymentId}`; `key` is the V2 API secret."""
    return ApiRequest("GET", f"/payments/{api_support.quoted(request.alias)}", {"Authorization": f"PortOne {key}"})


def read_response(request: VerificationRequest, _received: Received, response: bytes) -> Translation:
    """Translate the payment's state at PortOne.

    Raises Contradicted if the API responds with another payment, Unsupported for an undocumented status, InvalidField
    for an unreadable response, and, since the signed webhook is genuine, NotKnownYet if the API does not have the
    claimed status yet.
    """
    payment = api_support.decode(_payment, response)
    if payment.id != request.alias:
        raise Contradicted("PortOne responded with another payment")
    if payment.status not in STATUSES:
        raise Unsupported(f"PortOne does not document the status {payment.status}")
    if not api_support.may_have_been(request.claims.get("event"), payment.status, LATER_STATES):
        raise NotKnownYet(f"the payment is still {payment.status}")
    payload = _payload(payment)
    times = {
        "completed": payment.paidAt,
        "failed": payment.failedAt,
        "cancelled": payment.cancelledAt,
        "partially_cancelled": payment.cancelledAt,
    }
    candidates = (times.get(payload.status), payment.statusChangedAt, payment.requestedAt)
    at = next((at for time in candidates if (at := korean(time, "statusChangedAt"))), None)
    return Translation(payload, f"payment.{payload.status}", at, _event_id(payment, payload))


def _payload(payment: PortoneV2Payment) -> PaymentPayload:
    currency = currency_code(payment.currency)
    amount = payment.amount or PaymentAmount()
    failure = payment.failure or PortoneFailure()
    paid_at = korean(payment.paidAt, "paidAt")
    # A virtual account without a deposit, for example.
    unpaid = payment.status == "CANCELLED" and not is_present(payment.paidAt)
    return PaymentPayload(
        order_id=payment.id,
        status=STATUSES[payment.status],
        method=_method(payment),
        transaction_id=payment.transactionId,
        pg_transaction_id=payment.pgTxId or None,
        amount=whole_units(amount.total, "amount.total") or None,
        currency=currency,
        failure_reason=failure.reason or failure.pgMessage,
        paid_at=paid_at,
        cancels=() if unpaid else _cancels(payment),
        refunded_amount=0 if unpaid else whole_units(amount.cancelled, "amount.cancelled") or None,
        aliases=present((payment.transactionId, payment.pgTxId)),
    )


def _method(payment: PortoneV2Payment) -> str | None:
    """Return the method's type without its prefix: `Card` for `PaymentMethodCard`."""
    kind = payment.method.type if payment.method else None
    return kind.removeprefix("PaymentMethod") if kind else None


def _cancels(payment: PortoneV2Payment) -> tuple[Cancel, ...]:
    return tuple(
        Cancel(
            id=cancel.id,
            amount=amount,
            reason=cancel.reason,
            cancelled_at=korean(cancel.cancelledAt, "cancelledAt") or korean(cancel.requestedAt, "requestedAt"),
        )
        for cancel in payment.cancellations or ()
        if cancel.status == "SUCCEEDED" and (amount := whole_units(cancel.totalAmount, "cancellations.totalAmount"))
    )


def _event_id(payment: PortoneV2Payment, payload: PaymentPayload) -> str:
    """Return an id made of payment, attempt, status and last cancel. `webhook-id` identifies only the webhook."""
    last = payload.cancels[-1].id if payload.cancels else ""
    return f"{payment.id}:{payment.transactionId or ''}:{payment.status}:{last}"
