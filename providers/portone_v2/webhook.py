"""PortOne V2: signed by Standard Webhooks, but without amounts, so each causes a request to its API.

Two versions: 2024-04-25 `{type, timestamp, data}`, and 2024-01-01 `{payment_id, tx_id, status}` as JSON or form.

`Transaction.Confirm` asks, while the customer waits, whether a payment may pass; anything but 2xx declines it. Only
the shop can decide that, by its stock and prices: do not point the confirm URL here. If it is, the payment passes (200)
and the request is quarantined; the amount of the payment is compared with the order's as usual.
"""

from collections.abc import Mapping, Sequence

import msgspec

from providers import api_support
from providers.contract import ApiVerification, Provider, Received, Translation, Unsupported
from providers.parsing import form, json_body
from providers.parsing.fields import present
from providers.parsing.timestamps import korean
from providers.portone_v2 import api
from providers.portone_v2.objects import (
    TransactionData,
    TransactionEvent,
    TransactionEvent2024January,
    TransactionEventHead,
)
from providers.responses import WebhookResponse, always, json_response
from providers.signing import standard_webhooks
from stream.events import DisputePayload, DisputeStatus, Verification, VerificationRequest

DISPUTES: dict[str, DisputeStatus] = {
    "Transaction.DisputeCreated": "needs_response",
    "Transaction.DisputeResolved": "closed",
}


_head = msgspec.json.Decoder(TransactionEventHead)
_event = msgspec.json.Decoder(TransactionEvent)
_event_2024_january = msgspec.json.Decoder(TransactionEvent2024January)


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:
    """Return `signature` if the request, of either version, is signed by Standard Webhooks.

    Raises Forged or Stale as `standard_webhooks.verify` does.
    """
    standard_webhooks.verify(received, secrets)
    return "signature"


def translate(received: Received, _kind: str) -> Translation:
    """Return the verification request for a payment's webhook; translate a dispute without one.

    Raises Unsupported for billing keys, tax invoices, `Transaction.Confirm` and unknown types, Malformed or
    InvalidField for a body that cannot be read.
    """
    fields = form.parameters(received.body, "utf-8") if form.is_form(received) else None
    head = json_body.read(_head, received.body) if fields is None else form.typed(fields, _head)
    if head.type in DISPUTES and fields is None:
        return _dispute(head.type, json_body.read(_event, received.body))
    domain, _, event = (head.type or f"Transaction.{head.status or ''}").partition(".")
    if domain != "Transaction" or event not in api.LATER_STATES:
        raise Unsupported("the webhook reports no change of a payment")
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
    payload = DisputePayload(
        order_id=body.data.paymentId,
        dispute_id=body.data.transactionId or body.data.paymentId,
        status=DISPUTES[event_type],
        transaction_id=body.data.transactionId,
        aliases=present((body.data.transactionId,)),
    )
    at = korean(body.timestamp, "timestamp")
    return Translation(payload, event_type, at, f"{payload.dispute_id}:{event_type}:{at or ''}")


def _verification_request(event: str, data: TransactionData) -> Translation:
    claims = {"event": event, "transaction_id": data.transactionId, "cancellation_id": data.cancellationId}
    request = VerificationRequest(
        subject="payment",
        alias=data.paymentId,
        order_id=data.paymentId,
        claims=api_support.without_empty(claims),
    )
    return Translation(request, f"Transaction.{event}", None)


def _refused(cause: str, message: str) -> Mapping[str, WebhookResponse]:
    return {cause: json_response(400, {"error": cause, "message": message})}


PROVIDER = Provider(
    name="portone_v2",
    paths={"/api/webhooks/portone_v2": "payment"},
    secret_setting="PORTONE_V2_WEBHOOK_SECRET",
    verify=verify,
    translate=translate,
    stored_headers=standard_webhooks.HEADERS | {form.HEADER},
    success_response=always(json_response(200, {"received": True})),
    refusals={
        **_refused("invalid_signature", "webhook-signature is not that of this body, id and time"),
        **_refused("stale_timestamp", "webhook-timestamp is too far from now"),
    },
    takes_forms=True,
    api_verification=ApiVerification("https://api.portone.io", api.build_request, api.read_response),
    authentication=(
        "Standard Webhooks `v1`: base64 HMAC-SHA256 of id, time and raw body, within 300 s; it has no "
        "amount, so the API is asked too"
    ),
    events=(
        "`Transaction.*` of both versions, disputes without amount and deadline; billing keys, tax invoices and "
        "`Transaction.Confirm` are quarantined"
    ),
)
