"""PortOne V2: signed by Standard Webhooks, but without amounts, so each causes a request to its API.

Two versions: 2024-04-25 `{type, timestamp, data}`, and 2024-01-01 `{payment_id, tx_id, status}` as JSON or form.

`Transaction.Confirm` asks, while the customer waits, whether a payment may pass; anything but 2xx declines it. Only
the shop can decide that, by its stock and prices: do not point the confirm URL here. If it is, the payment passes (200)
and the request is quarantined; the amount of the payment is compared with the order's as usual.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Annotated, Any

import msgspec

from providers import api_support
from providers.contract import (
    ApiRequest,
    ApiVerification,
    Contradicted,
    NotKnownYet,
    Provider,
    Received,
    Translation,
    Unsupported,
    WebhookResponse,
    json_response,
)
from providers.parsing import form, json_body
from providers.parsing.fields import ABSENT, STRICT, Id, Instant, StrictOptional, Text
from providers.parsing.money import RawMinorUnits, currency_code, whole_units
from providers.parsing.timestamps import is_present, korean
from providers.signing import standard_webhooks
from stream.events import Cancel, DisputeNotice, DisputeStatus, PaymentNotice, PaymentStatus, Question, Verification

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
_LATER_STATES = {
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
DISPUTES: dict[str, DisputeStatus] = {
    "Transaction.DisputeCreated": "needs_response",
    "Transaction.DisputeResolved": "closed",
}


class TransactionEventHead(msgspec.Struct):
    """The fields that distinguish the versions: 2024-04-25 has a `type`, 2024-01-01 a `status`."""

    type: Text | None = None
    status: Text | None = None


class TransactionData(msgspec.Struct):
    paymentId: Id
    transactionId: Id | None = None
    cancellationId: Id | None = None


class TransactionEvent(msgspec.Struct):
    data: TransactionData
    timestamp: Instant = ABSENT


class TransactionEvent2024January(msgspec.Struct):
    payment_id: Id
    tx_id: Id | None = None


class PaymentAmount(msgspec.Struct):
    """Amounts in minor units of the payment's currency: $1.50 is 150."""

    total: Annotated[RawMinorUnits, STRICT] = ABSENT
    cancelled: Annotated[RawMinorUnits, STRICT] = ABSENT


class PaymentMethod(msgspec.Struct):
    type: Text | None = None


class PortoneFailure(msgspec.Struct):
    reason: Text | None = None
    pgMessage: Text | None = None


class Cancellation(msgspec.Struct):
    id: Id
    totalAmount: Annotated[RawMinorUnits, STRICT]
    status: Text = "SUCCEEDED"
    reason: Text | None = None
    cancelledAt: Instant = ABSENT
    requestedAt: Instant = ABSENT


class PortoneV2Payment(msgspec.Struct):
    """The fields of PortOne's Payment that are used. The card and the customer are never read."""

    id: Id
    status: Text
    transactionId: Id | None = None
    pgTxId: Text | None = None
    amount: StrictOptional[PaymentAmount] = None
    currency: StrictOptional[Text] = None
    method: PaymentMethod | None = None
    requestedAt: Instant = ABSENT
    statusChangedAt: Instant = ABSENT
    paidAt: Instant = ABSENT
    failedAt: Instant = ABSENT
    cancelledAt: Instant = ABSENT
    failure: PortoneFailure | None = None
    cancellations: StrictOptional[list[Cancellation]] = None


_head = msgspec.json.Decoder(TransactionEventHead)
_event = msgspec.json.Decoder(TransactionEvent)
_event_2024_january = msgspec.json.Decoder(TransactionEvent2024January)
_payment = msgspec.json.Decoder(PortoneV2Payment)


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:
    """Prove a webhook of either version by any live secret."""
    standard_webhooks.verify(received, secrets)
    return "signature"


def sign(payload: bytes, secret: bytes, at: int = 0) -> dict[str, str]:
    """Return the headers that PortOne adds to this body."""
    kind = {} if payload.lstrip().startswith(b"{") else {"Content-Type": form.CONTENT_TYPE}
    return kind | standard_webhooks.sign(payload, secret, at, f"msg_{sha256(payload).hexdigest()[:24]}")


def translate(received: Received, kind: str) -> Translation:  # noqa: ARG001 - one path
    """Return the verification request for a webhook, or its dispute.

    Raises Unsupported for billing keys, tax invoices, `Transaction.Confirm` and unknown types.
    """
    fields = form.parameters(received.body, "utf-8") if form.is_form(received) else None
    head = json_body.read(_head, received.body) if fields is None else form.typed(fields, _head)
    if head.type in DISPUTES and fields is None:
        return _dispute(head.type, json_body.read(_event, received.body))
    domain, _, event = (head.type or f"Transaction.{head.status or ''}").partition(".")
    if domain != "Transaction" or event not in _LATER_STATES:
        raise Unsupported("it reports no change of a payment")
    if head.type and fields is None:
        return _verification_request(event, json_body.read(_event, received.body).data)
    body = (
        json_body.read(_event_2024_january, received.body)
        if fields is None
        else form.typed(fields, _event_2024_january)
    )
    return _verification_request(event, TransactionData(body.payment_id, body.tx_id))


def _dispute(event_type: str, body: TransactionEvent) -> Translation:
    """Translate a dispute. PortOne sends no reason, amount or deadline.

    The signature is sufficient, since the API has no more about it. A transaction has one dispute at a time.
    """
    names = tuple(name for name in (body.data.transactionId,) if name)
    notice = DisputeNotice(
        order_id=body.data.paymentId,
        dispute_id=body.data.transactionId or body.data.paymentId,
        status=DISPUTES[event_type],
        transaction_id=body.data.transactionId,
        references=names,
    )
    at = korean(body.timestamp, "timestamp")
    return Translation(notice, event_type, at, f"{notice.dispute_id}:{event_type}:{at or ''}")


def _verification_request(event: str, data: TransactionData) -> Translation:
    claims = {"event": event, "transaction_id": data.transactionId, "cancellation_id": data.cancellationId}
    request = Question(
        subject="payment",
        reference=data.paymentId,
        order_id=data.paymentId,
        claims={name: value for name, value in claims.items() if value},
    )
    return Translation(request, f"Transaction.{event}", None)


def build_request(request: Question, key: str) -> ApiRequest:
    """`GET /payments/{paymentId}`, with the V2 API secret."""
    return ApiRequest("GET", f"/payments/{api_support.quoted(request.reference)}", {"Authorization": f"PortOne {key}"})


def read_response(request: Question, received: Received, response: bytes) -> Translation:  # noqa: ARG001 - not needed
    """Translate the payment's state at PortOne.

    Raises Contradicted if it is another payment, Unsupported for an undocumented status. If the API does not yet
    have the claimed status, raises NotKnownYet, since the signed webhook is genuine.
    """
    payment = api_support.decode(_payment, response)
    if payment.id != request.reference:
        raise Contradicted("PortOne responded with another payment")
    if payment.status not in STATUSES:
        raise Unsupported(f"PortOne does not document the status {payment.status}")
    if not api_support.may_have_been(request.claims.get("event"), payment.status, _LATER_STATES):
        raise NotKnownYet(f"the payment is still {payment.status}")
    notice = _notice(payment)
    times = {
        "completed": payment.paidAt,
        "failed": payment.failedAt,
        "cancelled": payment.cancelledAt,
        "partially_cancelled": payment.cancelledAt,
    }
    candidates = (times.get(notice.status), payment.statusChangedAt, payment.requestedAt)
    at = next((at for time in candidates if (at := korean(time, "statusChangedAt"))), None)
    return Translation(notice, f"payment.{notice.status}", at, _event_id(payment, notice))


def _notice(payment: PortoneV2Payment) -> PaymentNotice:
    currency = currency_code(payment.currency)
    amount = payment.amount or PaymentAmount()
    failure = payment.failure or PortoneFailure()
    paid_at = korean(payment.paidAt, "paidAt")
    unpaid = payment.status == "CANCELLED" and not is_present(
        payment.paidAt
    )  # such as a virtual account without deposit
    return PaymentNotice(
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
        references=tuple(name for name in (payment.transactionId, payment.pgTxId) if name),
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


def _event_id(payment: PortoneV2Payment, notice: PaymentNotice) -> str:
    """Return an id made of payment, attempt, status and last cancel. `webhook-id` identifies only the webhook."""
    last = notice.cancels[-1].id if notice.cancels else ""
    return f"{payment.id}:{payment.transactionId or ''}:{payment.status}:{last}"


def _received(event_id: str, event_type: str) -> WebhookResponse:  # noqa: ARG001
    return json_response(200, {"received": True})


def _refused(cause: str, message: str) -> Mapping[str, Any]:
    return {cause: json_response(400, {"error": cause, "message": message})}


PROVIDER = Provider(
    name="portone_v2",
    paths={"/api/webhooks/portone_v2": "payment"},
    secret_setting="PORTONE_V2_WEBHOOK_SECRET",  # noqa: S106 - the name of the setting
    verify=verify,
    translate=translate,
    sign=sign,
    kept_headers=standard_webhooks.HEADERS | {form.KIND},
    answer=_received,
    refusals={
        **_refused("invalid_signature", "webhook-signature is not that of this body, id and time"),
        **_refused("stale_timestamp", "webhook-timestamp is too far from now"),
    },
    takes_forms=True,
    api_verification=ApiVerification("https://api.portone.io", build_request, read_response),
    proof=(
        "Standard Webhooks `v1`: base64 HMAC-SHA256 of id, time and raw body, within 300 s; it has no "
        "amount, so the API is asked too"
    ),
    events=(
        "`Transaction.*` of both versions, disputes without amount and deadline; billing keys, tax invoices and "
        "`Transaction.Confirm` are quarantined"
    ),
)
