"""PortOne V1 (Iamport): unsigned webhooks, JSON or form as set in its console; each causes a request to its API."""

import msgspec

from providers import api_support
from providers.contract import ApiVerification, Provider, Received, Translation, Unsupported
from providers.parsing import form, json_body
from providers.portone_v1.api import build_request, read_response
from providers.portone_v1.objects import EscrowMarker, PortoneV1Webhook
from providers.responses import always, json_response
from stream.events import VerificationRequest

_head = msgspec.json.Decoder(EscrowMarker)
_webhook = msgspec.json.Decoder(PortoneV1Webhook)


def translate(received: Received, _kind: str) -> Translation:
    """Return the verification request for a webhook.

    Raises Unsupported for all but payments, such as escrow, Malformed or InvalidField for a body that cannot be read.
    """
    webhook = _read(received)
    claims = {"status": webhook.status, "cancellation_id": webhook.cancellation_id}
    request = VerificationRequest(
        subject="payment",
        alias=webhook.imp_uid,
        order_id=webhook.merchant_uid,
        claims=api_support.without_empty(claims),
    )
    return Translation(request, f"payment.{webhook.status or 'changed'}", None)


def _read(received: Received) -> PortoneV1Webhook:
    fields = form.parameters(received.body, "utf-8") if form.is_form(received) else None
    event = json_body.read(_head, received.body).event if fields is None else fields.get("event")
    if event:
        raise Unsupported("the webhook is about an escrow or the like, not about a payment")
    return json_body.read(_webhook, received.body) if fields is None else form.typed(fields, _webhook)


PROVIDER = Provider(
    name="portone_v1",
    paths={"/api/webhooks/portone_v1": "payment", "/api/webhooks/iamport": "payment"},
    secret_setting="PORTONE_V1_WEBHOOK_SECRET",
    verify=api_support.accept_unsigned,
    translate=translate,
    stored_headers=frozenset({form.HEADER}),
    success_response=always(json_response(200, {"received": True})),
    is_unsigned=True,
    takes_forms=True,
    api_verification=ApiVerification("https://api.iamport.kr", build_request, read_response),
    authentication="nothing: the API is asked",
    events="a payment is `paid`, `ready`, `failed` or `cancelled`; escrow is quarantined",
)
