"""PortOne V1's API: the request for a payment, and the translation of its response.

`PORTONE_V1_API_KEY` is an access token. PortOne issues one for `imp_key` and `imp_secret` at `POST /users/getToken`,
valid for half an hour; the operator renews the setting, or runs a proxy that does.
"""

import msgspec

from providers import api_support
from providers.contract import ApiRequest, Contradicted, NotKnownYet, Received, Translation, Unsupported
from providers.parsing.money import currency_code, minor_units_or_none
from providers.parsing.timestamps import is_present, korean
from providers.portone_v1.objects import PaymentReply, PortoneV1Payment
from stream.events import Cancel, Micros, PaymentPayload, PaymentStatus, VerificationRequest

STATUSES: dict[str, PaymentStatus] = {
    "ready": "pending",
    "paid": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}
_LATER_STATES: dict[str, frozenset[str]] = {
    "paid": frozenset({"completed", "partially_cancelled", "cancelled"}),
    "cancelled": frozenset({"partially_cancelled", "cancelled"}),
    "failed": frozenset({"failed", "completed", "partially_cancelled", "cancelled"}),
}
"""Claimed status → the statuses that may follow it; a failed payment may still succeed."""
_reply = msgspec.json.Decoder(PaymentReply)


def build_request(request: VerificationRequest, key: str) -> ApiRequest:
    """Return `GET /payments/{imp_uid}`; `key` is an access token."""
    return ApiRequest("GET", f"/payments/{api_support.quoted(request.alias)}", {"Authorization": key})


def read_response(request: VerificationRequest, _received: Received, response: bytes) -> Translation:
    """Translate the payment's state at PortOne.

    Raises NotKnownYet if PortOne has no such payment, Contradicted if the payment or its order is another one or never
    had the claimed status or cancel, Unsupported for an undocumented status, InvalidField for an unreadable response.
    """
    payment = api_support.decode(_reply, response).response
    if payment is None:
        raise NotKnownYet("PortOne has no such payment")
    if payment.imp_uid != request.alias:
        raise Contradicted("PortOne responded with another payment")
    api_support.check_order(request, payment.merchant_uid)
    payload = _payload(payment)
    claimed = request.claims.get("status")
    if not api_support.may_have_been(claimed, payload.status, _LATER_STATES):
        raise Contradicted(f"the payment is {payment.status}, and was never {claimed}")
    wanted = request.claims.get("cancellation_id")
    if wanted and wanted not in {cancel.cancellation_id for cancel in payment.cancel_history or ()}:
        raise Contradicted("PortOne has no such cancel of the payment")
    return Translation(
        payload, f"payment.{payload.status}", _happened_at(payment, payload), _event_id(payment, payload)
    )


def _payload(payment: PortoneV1Payment) -> PaymentPayload:
    if payment.status not in STATUSES:
        raise Unsupported(f"PortOne does not document the status {payment.status}")
    currency = currency_code(payment.currency)
    amount = minor_units_or_none(payment.amount, currency)
    refunded = minor_units_or_none(payment.cancel_amount, currency, "cancel_amount")
    paid_at = korean(payment.paid_at, "paid_at")
    # A virtual account without a deposit, for example.
    unpaid = payment.status == "cancelled" and not is_present(payment.paid_at)
    aliases = (payment.imp_uid, payment.pg_tid) if payment.pg_tid else (payment.imp_uid,)
    return PaymentPayload(
        order_id=payment.merchant_uid,
        alias=None if payment.merchant_uid else payment.imp_uid,
        status=_status(payment, amount, refunded),
        method=payment.pay_method or None,
        transaction_id=payment.imp_uid,
        pg_transaction_id=payment.pg_tid or None,
        amount=amount,
        currency=currency,
        failure_reason=payment.fail_reason or None,
        paid_at=paid_at,
        cancels=() if unpaid else _cancels(payment, currency),
        refunded_amount=0 if unpaid else refunded,
        aliases=aliases,
    )


def _status(payment: PortoneV1Payment, amount: int | None, refunded: int | None) -> PaymentStatus:
    """Return our status. V1's stays `paid` after a partial cancel; `ready` is, with vbank, an issued account."""
    if payment.status in ("paid", "cancelled") and refunded and amount and refunded < amount:
        return "partially_cancelled"
    if payment.status == "ready" and payment.pay_method == "vbank":
        return "waiting_for_deposit"
    return STATUSES[payment.status]


def _cancels(payment: PortoneV1Payment, currency: str) -> tuple[Cancel, ...]:
    return tuple(
        Cancel(
            id=cancel.cancellation_id or f"{payment.imp_uid}:{number}",
            amount=amount,
            reason=cancel.reason,
            cancelled_at=korean(cancel.cancelled_at, "cancelled_at"),
        )
        for number, cancel in enumerate(payment.cancel_history or ())
        if (amount := minor_units_or_none(cancel.amount, currency, "cancel_history.amount"))
    )


def _happened_at(payment: PortoneV1Payment, payload: PaymentPayload) -> Micros | None:
    if payload.status in ("cancelled", "partially_cancelled"):
        times = [cancel.cancelled_at for cancel in payload.cancels if cancel.cancelled_at]
        return max(times, default=None) or korean(payment.cancelled_at, "cancelled_at")
    if payload.status == "completed":
        return payload.paid_at
    if payload.status == "failed":
        return korean(payment.failed_at, "failed_at")
    return korean(payment.started_at, "started_at")


def _event_id(payment: PortoneV1Payment, payload: PaymentPayload) -> str:
    """Return an id made of payment, status and last cancel, since PortOne V1 has no event ids."""
    last = payload.cancels[-1].id if payload.cancels else str(payload.refunded_amount or "")
    return f"{payment.imp_uid}:{payload.status}:{last}" if last else f"{payment.imp_uid}:{payload.status}"
