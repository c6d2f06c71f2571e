"""Tapayz (contract D): crypto invoices and the transfers that pay them, by github.com/tapayz/tapayz-docs @c205ee1.

Bodies come in an envelope `{event, timestamp, data}` or flat, ids as texts or numbers. `x-signature` is the hex
HMAC-SHA256 of the body, which the documentation computes over what JSON.stringify makes of it. Whether Tapayz itself
signs is not documented: TAPAYZ_ALLOW_UNSIGNED lets in what comes unsigned, as a question to its API.
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from providers.contract import (
    Forged,
    Provider,
    Received,
    Translation,
    Unsigned,
    WebhookResponse,
    WrongEvent,
    json_response,
)
from providers.parsing import json_body
from providers.parsing.fields import ABSENT, Instant
from providers.parsing.timestamps import korean
from providers.signing.canonical_json import compacted
from providers.signing.hmac_hex import is_valid_signature
from providers.tapayz import api as tapayz_api
from providers.tapayz.objects import (
    CASH_ASSETS,
    UNKNOWN,
    CallbackHead,
    CallbackShape,
    Enveloped,
    InvoiceCallback,
    PayingTransfer,
    TransferCallback,
    block,
    cash,
    crypto,
    invoice_state,
    transfer_state,
)
from stream.events import InvoiceNotice, TransferNotice, Verification

SIGNATURE = "x-signature"
ANY = "any"
T = TypeVar("T", InvoiceCallback, TransferCallback)


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:
    """Prove the body by any live secret: its raw bytes, or failing that its compact form."""
    given = received.headers.get(SIGNATURE, "").lower().encode("latin-1")
    if not given:
        raise Unsigned("x-signature is missing")
    if is_valid_signature(received.body, given, secrets):
        return "signature"
    compact = compacted(received.body)
    if compact is not None and is_valid_signature(compact, given, secrets):
        return "signature"
    raise Forged("x-signature is not the HMAC-SHA256 of this body")


def sign(payload: bytes, secret: bytes, at: int = 0) -> dict[str, str]:  # noqa: ARG001 - the scheme has no time
    """The headers a sender adds to this body."""
    return {"X-Signature": hmac.digest(secret, payload, "sha256").hex()}


def translate(received: Received, kind: str, cash_assets: Mapping[str, str] = CASH_ASSETS) -> Translation:
    """Read a verified body. `kind` is the event of the path; a body that names one must name that.

    Where the path takes any event, a body that names none is known by its fields.
    Raises WrongEvent for another event, Unsupported for a state that is not documented.
    """
    head = json_body.read(_head, received.body)
    event = (head.event or _shape_of(received, head).event) if kind == ANY else kind
    if event is None or event not in _TRANSLATORS or head.event not in (None, event):
        raise WrongEvent("Invalid event type")
    return _TRANSLATORS[event](received, event, head, cash_assets)


def _shape_of(received: Received, head: CallbackHead) -> CallbackShape:
    return json_body.read_again(_shape, received.body if _is_flat(head) else bytes(head.data))


def _is_flat(head: CallbackHead) -> bool:
    return bytes(head.data) in (b"", b"null")


def translate_unsigned(received: Received, kind: str) -> Translation:
    """What a body without a signature is about, to be asked of the API. Raises as `translate` does."""
    told = translate(received, kind)
    return Translation(tapayz_api.verification_request(told.notice), told.event_type, told.occurred_at)


def _translate_invoice(received: Received, event: str, head: CallbackHead, assets: Mapping[str, str]) -> Translation:
    told, said_at = _read(received, head, _invoice, _enveloped_invoice)
    state, payer = invoice_state(told.state), told.transaction or PayingTransfer()
    at = _first_instant(said_at, told.timestamp, told.updatedAt, told.completedAt, told.expiredAt)
    amount, currency = cash(told.cashAmount, told.cashAssetId, assets)
    notice = InvoiceNotice(
        invoice_id=told.invoiceId,
        customer_id=told.customerId,
        customer_name=told.customerName,
        state=state,
        previous_state=told.previousState,
        title=told.title,
        cash_amount=amount,
        cash_currency=currency,
        crypto_amount=crypto(told.cryptoAmount, "cryptoAmount") or crypto(told.amount, "amount"),
        crypto_asset=told.cryptoAssetId,
        received_amount=_either(told.receivedAmount, payer.receivedAmount, "receivedAmount"),
        expected_amount=_either(told.expectedAmount, payer.expectedAmount, "expectedAmount"),
        reason=told.reason or (UNKNOWN if state == "Fail" else None),
        transaction_id=payer.id,
        completed_at=korean(told.completedAt, "completedAt"),
        expired_at=korean(told.expiredAt, "expiredAt"),
        transaction_hash=payer.detail or None,
        from_address=payer.from_ or None,
        to_address=payer.to or None,
        block_number=block(payer.blockNum),
    )
    return Translation(notice, event, at, tapayz_api.invoice_event(notice, at))


def _translate_transfer(received: Received, event: str, head: CallbackHead, _: Mapping[str, str]) -> Translation:
    told, said_at = _read(received, head, _transfer, _enveloped_transfer)
    state, asset = transfer_state(told.state), told.Asset.id if told.Asset else None
    at = _first_instant(said_at, told.timestamp, told.finalizedAt, told.updatedAt)
    notice = TransferNotice(
        invoice_id=told.invoiceId,
        reference=told.id if told.invoiceId is None else None,
        transaction_id=told.id,
        customer_id=told.customerId,
        state=state,
        amount=crypto(told.amount, "amount"),
        asset=asset if told.assetId is None else told.assetId,
        hash=told.detail or None,
        from_address=told.from_ or None,
        to_address=told.to or None,
        block_number=block(told.blockNum),
        reason=told.failureReason or told.reason or (UNKNOWN if state == "Fail" else None),
        changed_at=at,
    )
    return Translation(notice, event, at, tapayz_api.transfer_event(event, notice))


def _either(one: msgspec.Raw, other: msgspec.Raw, field: str) -> str | None:
    return crypto(one, field) or crypto(other, field)


def _read(
    received: Received, head: CallbackHead, flat: msgspec.json.Decoder[T], enveloped: msgspec.json.Decoder[Enveloped[T]]
) -> tuple[T, Instant]:
    """The body, out of its envelope, and the envelope's time."""
    if _is_flat(head):
        return json_body.read_again(flat, received.body), ABSENT
    envelope = json_body.read_again(enveloped, received.body)
    return envelope.data, envelope.timestamp


def _first_instant(*said: Instant) -> int | None:
    return next((at for time in said if (at := korean(time, "timestamp")) is not None), None)


def _ok(event_id: str, event_type: str) -> WebhookResponse:  # noqa: ARG001
    return _OK


_OK = json_response(200, {"status": "ok"})
_head = msgspec.json.Decoder(CallbackHead)
_shape = msgspec.json.Decoder(CallbackShape)
_invoice = msgspec.json.Decoder(InvoiceCallback)
_transfer = msgspec.json.Decoder(TransferCallback)
_enveloped_invoice = msgspec.json.Decoder(Enveloped[InvoiceCallback])
_enveloped_transfer = msgspec.json.Decoder(Enveloped[TransferCallback])

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
    secret_setting="TAPAYZ_WEBHOOK_SECRET",  # noqa: S106 - the name of the setting
    verify=verify,
    translate=translate,
    sign=sign,
    kept_headers=frozenset({SIGNATURE}),
    events="`invoice.updated`, `transaction.created`, `transaction.updated`",
    proof="`x-signature`: hex HMAC-SHA256 of the raw body, or of its compact form",
    answer=_ok,
    refusals={
        "wrong_event": json_response(400, {"error": "Invalid event type"}),
        "unavailable": json_response(500, {"error": "Internal server error"}),
    },
    translate_unsigned=translate_unsigned,
    api_verification=tapayz_api.API_VERIFICATION,
)
