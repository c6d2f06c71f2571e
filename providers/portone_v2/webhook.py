"""PortOne V2: signed by Standard Webhooks, but without amounts, so each is a question for its API.

Two versions: 2024-04-25 `{type, timestamp, data}`, and 2024-01-01 `{payment_id, tx_id, status}` as JSON or form.

`Transaction.Confirm` asks, while the customer waits, whether a payment may pass; anything but 2xx declines it. The
answer is the shop's, which knows its stock and its prices: do not point the confirm URL here. If it is, the payment
passes (200) and the question is kept aside; its amount is compared with the order's like any other's.
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
_FOLLOW = {
    "Paid": _PAID,
    "PartialCancelled": frozenset({"PARTIAL_CANCELLED", "CANCELLED"}),
    "Cancelled": frozenset({"CANCELLED"}),
    "VirtualAccountIssued": _ISSUED,
    "Failed": _ISSUED,
    "Ready": frozenset(STATUSES),
    "PayPending": frozenset(STATUSES),
    "CancelPending": _PAID,
}
"""The events that tell of a payment, and what it can be after them."""
DISPUTES: dict[str, DisputeStatus] = {
    "Transaction.DisputeCreated": "needs_response",
    "Transaction.DisputeResolved": "closed",
}


class TransactionEventHead(msgspec.Struct):
    """2024-04-25 has a `type`."""

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
    """PortOne V2 scales amounts by their currency: $1.50 is 150."""

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
    """Of PortOne's Payment what we use; never the card or the customer."""

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
_told = msgspec.json.Decoder(TransactionEvent)
_told_2024_january = msgspec.json.Decoder(TransactionEvent2024January)
_payment = msgspec.json.Decoder(PortoneV2Payment)


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:
    """Prove a webhook of either version by any live secret."""
    standard_webhooks.verify(received, secrets)
    return "signature"


def sign(payload: bytes, secret: bytes, at: int = 0) -> dict[str, str]:
    """The headers PortOne adds to this body."""
    kind = {} if payload.lstrip().startswith(b"{") else {"Content-Type": form.CONTENT_TYPE}
    return kind | standard_webhooks.sign(payload, secret, at, f"msg_{sha256(payload).hexdigest()[:24]}")


def translate(received: Received, kind: str) -> Translation:  # noqa: ARG001 - one path
    """The question a webhook raises, or the dispute it tells of.

    Raises Unsupported for billing keys, tax invoices, confirm and the unknown.
    """
    fields = form.parameters(received.body, "utf-8") if form.is_form(received) else None
    head = json_body.read(_head, received.body) if fields is None else form.typed(fields, _head)
    if head.type in DISPUTES and fields is None:
        return _dispute(head.type, json_body.read(_told, received.body))
    domain, _, event = (head.type or f"Transaction.{head.status or ''}").partition(".")
    if domain != "Transaction" or event not in _FOLLOW:
        raise Unsupported("it tells of no change of a payment")
    if head.type and fields is None:
        return _question(event, json_body.read(_told, received.body).data)
    told = (
        json_body.read(_told_2024_january, received.body) if fields is None else form.typed(fields, _told_2024_january)
    )
    return _question(event, TransactionData(told.payment_id, told.tx_id))


def _dispute(event_type: str, told: TransactionEvent) -> Translation:
    """A dispute, which is all that PortOne tells of it: neither a reason nor an amount nor a deadline.

    The signature proves it, and its API has nothing to add. A transaction has one dispute at a time.
    """
    names = tuple(name for name in (told.data.transactionId,) if name)
    notice = DisputeNotice(
        order_id=told.data.paymentId,
        dispute_id=told.data.transactionId or told.data.paymentId,
        status=DISPUTES[event_type],
        transaction_id=told.data.transactionId,
        references=names,
    )
    at = korean(told.timestamp, "timestamp")
    return Translation(notice, event_type, at, f"{notice.dispute_id}:{event_type}:{at or ''}")


def _question(event: str, data: TransactionData) -> Translation:
    claims = {"event": event, "transaction_id": data.transactionId, "cancellation_id": data.cancellationId}
    question = Question(
        subject="payment",
        reference=data.paymentId,
        order_id=data.paymentId,
        claims={name: value for name, value in claims.items() if value},
    )
    return Translation(question, f"Transaction.{event}", None)


def build_request(question: Question, key: str) -> ApiRequest:
    """`GET /payments/{paymentId}`, with the V2 API secret."""
    return ApiRequest(
        "GET", f"/payments/{api_support.segment(question.reference)}", {"Authorization": f"PortOne {key}"}
    )


def read_response(question: Question, received: Received, answer: bytes) -> Translation:  # noqa: ARG001 - no clue in it
    """What PortOne says is true of the payment now.

    Raises Untrue when it is another payment. A signed webhook is no forgery, so one that is ahead of the API is
    NotKnownYet.
    """
    payment = api_support.read(_payment, answer)
    if payment.id != question.reference:
        raise Contradicted("PortOne answers of another payment than was asked for")
    if payment.status not in STATUSES:
        raise Unsupported(f"{payment.status} is no status that PortOne documents")
    if not api_support.may_have_been(question.claims.get("event"), payment.status, _FOLLOW):
        raise NotKnownYet(f"the payment is still {payment.status}")
    notice = _notice(payment)
    times = {
        "completed": payment.paidAt,
        "failed": payment.failedAt,
        "cancelled": payment.cancelledAt,
        "partially_cancelled": payment.cancelledAt,
    }
    said = (times.get(notice.status), payment.statusChangedAt, payment.requestedAt)
    at = next((at for time in said if (at := korean(time, "statusChangedAt"))), None)
    return Translation(notice, f"payment.{notice.status}", at, _event_id(payment, notice))


def _notice(payment: PortoneV2Payment) -> PaymentNotice:
    currency = currency_code(payment.currency)
    amount = payment.amount or PaymentAmount()
    failure = payment.failure or PortoneFailure()
    paid_at = korean(payment.paidAt, "paidAt")
    unpaid = payment.status == "CANCELLED" and not is_present(payment.paidAt)  # such as an account nobody paid into
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
    """`PaymentMethodCard` is `Card`."""
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
    """Payment, attempt, status and last cancel: `webhook-id` names the delivery of a claim, not what is true."""
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
        "Standard Webhooks `v1`: base64 HMAC-SHA256 of id, time and raw body, within 300 s; it tells no "
        "amount, so the API is asked too"
    ),
    events=(
        "`Transaction.*` of both versions, disputes without amount and deadline; billing keys, tax invoices and "
        "`Transaction.Confirm` are kept aside"
    ),
)
