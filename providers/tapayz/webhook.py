"""Tapayz (contract D): crypto invoices and the transfers that pay them, by github.com/tapayz/tapayz-docs @c205ee1.

Bodies come in an envelope `{event, timestamp, data}` or flat, ids as texts or numbers. `x-signature` is the hex
HMAC-SHA256 of the body, which the documentation computes over its JSON.stringify form. Whether Tapayz itself
signs is not documented: TAPAYZ_ALLOW_UNSIGNED admits unsigned webhooks, which cause a request to its API.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from providers.contract import ApiVerification, Provider, Received, Translation, Unsigned, WrongEvent
from providers.parsing import json_body
from providers.parsing.fields import ABSENT, Instant
from providers.parsing.timestamps import korean
from providers.responses import always, json_response
from providers.signing.hmac_hex import verify_raw_or_compact
from providers.tapayz import api
from providers.tapayz.amounts import CASH_ASSETS, block, cash, crypto
from providers.tapayz.objects import (
    CallbackHead,
    CallbackShape,
    Enveloped,
    InvoiceCallback,
    PayingTransfer,
    TransferCallback,
)
from providers.tapayz.states import UNKNOWN, invoice_state, transfer_state
from stream.events import InvoicePayload, Micros, TransferPayload, Verification

SIGNATURE = "x-signature"
ANY = "any"
"""The kind of a path to which every event is posted."""
T = TypeVar("T", InvoiceCallback, TransferCallback)
_head = msgspec.json.Decoder(CallbackHead)
_shape = msgspec.json.Decoder(CallbackShape)
_invoice = msgspec.json.Decoder(InvoiceCallback)
_transfer = msgspec.json.Decoder(TransferCallback)
_enveloped_invoice = msgspec.json.Decoder(Enveloped[InvoiceCallback])
_enveloped_transfer = msgspec.json.Decoder(Enveloped[TransferCallback])


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:
    """Return `signature` if the header holds the signature of the raw body or of its compact form with one secret.

    Raises Unsigned without the header, Forged with a wrong one.
    """
    if not received.headers.get(SIGNATURE):
        raise Unsigned("x-signature is missing")
    return verify_raw_or_compact(received, "x-signature", secrets)


def translate(received: Received, kind: str, cash_assets: Mapping[str, str] = CASH_ASSETS) -> Translation:
    """Translate a body. `kind` is the event of the path; a body that names an event must name the same.

    With ANY, the fields of a body without event name show its event. `cash_assets` maps Tapayz's asset ids to
    currencies. Raises WrongEvent for another event, Unsupported for an undocumented state, Malformed or InvalidField
    for a body that cannot be read.
    """
    head = json_body.read(_head, received.body)
    event = (head.event or _shape_of(received, head).event) if kind == ANY else kind
    if event is None or event not in _TRANSLATORS or head.event not in (None, event):
        raise WrongEvent("Invalid event type")
    return _TRANSLATORS[event](received, event, head, cash_assets)


def translate_unsigned(received: Received, kind: str) -> Translation:
    """Return the verification request for a body without a signature. Raises as `translate` does."""
    claimed = translate(received, kind)
    return Translation(api.verification_request(claimed.payload), claimed.event_type, claimed.occurred_at)


def _shape_of(received: Received, head: CallbackHead) -> CallbackShape:
    return json_body.read_again(_shape, received.body if _is_flat(head) else bytes(head.data))


def _is_flat(head: CallbackHead) -> bool:
    return bytes(head.data) in (b"", b"null")


def _translate_invoice(received: Received, event: str, head: CallbackHead, assets: Mapping[str, str]) -> Translation:
    body, sent_at = _read(received, head, _invoice, _enveloped_invoice)
    state, paying = invoice_state(body.state), body.transaction or PayingTransfer()
    at = _first_instant(sent_at, body.timestamp, body.updatedAt, body.completedAt, body.expiredAt)
    amount, currency = cash(body.cashAmount, body.cashAssetId, assets)
    payload = InvoicePayload(
        invoice_id=body.invoiceId,
        customer_id=body.customerId,
        customer_name=body.customerName,
        state=state,
        previous_state=body.previousState,
        title=body.title,
        cash_amount=amount,
        cash_currency=currency,
        crypto_amount=crypto(body.cryptoAmount, "cryptoAmount") or crypto(body.amount, "amount"),
        crypto_asset=body.cryptoAssetId,
        received_amount=_either(body.receivedAmount, paying.receivedAmount, "receivedAmount"),
        expected_amount=_either(body.expectedAmount, paying.expectedAmount, "expectedAmount"),
        reason=body.reason or (UNKNOWN if state == "Fail" else None),
        transaction_id=paying.id,
        completed_at=korean(body.completedAt, "completedAt"),
        expired_at=korean(body.expiredAt, "expiredAt"),
        transaction_hash=paying.detail or None,
        from_address=paying.from_ or None,
        to_address=paying.to or None,
        block_number=block(paying.blockNum),
    )
    return Translation(payload, event, at, api.invoice_event_id(payload, at))


def _translate_transfer(received: Received, event: str, head: CallbackHead, _: Mapping[str, str]) -> Translation:
    body, sent_at = _read(received, head, _transfer, _enveloped_transfer)
    state, asset = transfer_state(body.state), body.Asset.id if body.Asset else None
    at = _first_instant(sent_at, body.timestamp, body.finalizedAt, body.updatedAt)
    payload = TransferPayload(
        invoice_id=body.invoiceId,
        alias=body.id if body.invoiceId is None else None,
        transaction_id=body.id,
        customer_id=body.customerId,
        state=state,
        amount=crypto(body.amount, "amount"),
        asset=asset if body.assetId is None else body.assetId,
        hash=body.detail or None,
        from_address=body.from_ or None,
        to_address=body.to or None,
        block_number=block(body.blockNum),
        reason=body.failureReason or body.reason or (UNKNOWN if state == "Fail" else None),
        changed_at=at,
    )
    return Translation(payload, event, at, api.transfer_event_id(event, payload))


def _either(first: msgspec.Raw, second: msgspec.Raw, field: str) -> str | None:
    return crypto(first, field) or crypto(second, field)


def _read(
    received: Received, head: CallbackHead, flat: msgspec.json.Decoder[T], enveloped: msgspec.json.Decoder[Enveloped[T]]
) -> tuple[T, Instant]:
    """Return the body without its envelope, and the envelope's time (ABSENT for a flat body)."""
    if _is_flat(head):
        return json_body.read_again(flat, received.body), ABSENT
    envelope = json_body.read_again(enveloped, received.body)
    return envelope.data, envelope.timestamp


def _first_instant(*times: Instant) -> Micros | None:
    return next((at for time in times if (at := korean(time, "timestamp")) is not None), None)


_TRANSLATORS: dict[str, Callable[[Received, str, CallbackHead, Mapping[str, str]], Translation]] = {
    "invoice.updated": _translate_invoice,
    "transaction.created": _translate_transfer,
    "transaction.updated": _translate_transfer,
}
PROVIDER = Provider(
    name="tapayz",
    paths={
        "/callback/update-invoice": "invoice.updated",
        "/callback/create-transaction": "transaction.created",
        "/callback/update-transaction": "transaction.updated",
        "/api/webhooks/tapayz": ANY,
    },
    secret_setting="TAPAYZ_WEBHOOK_SECRET",
    verify=verify,
    translate=translate,
    stored_headers=frozenset({SIGNATURE}),
    events="`invoice.updated`, `transaction.created`, `transaction.updated`",
    authentication="`x-signature`: hex HMAC-SHA256 of the raw body, or of its compact form",
    success_response=always(json_response(200, {"status": "ok"})),
    refusals={
        "wrong_event": json_response(400, {"error": "Invalid event type"}),
        "unavailable": json_response(500, {"error": "Internal server error"}),
    },
    translate_unsigned=translate_unsigned,
    api_verification=ApiVerification("https://api.crypted-pay.com", api.build_request, api.read_response),
)
