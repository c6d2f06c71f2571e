"""Tapayz's API: the requests that verify a webhook without signature, and their responses."""

import msgspec

from providers import api_support
from providers.contract import ApiRequest, InvalidField, NotKnownYet, Received, Translation, Unsupported
from providers.parsing.timestamps import korean
from providers.tapayz.amounts import CASH_ASSETS, cash, crypto
from providers.tapayz.objects import ApiAsset, ApiCustomer, ApiInvoiceList, ApiTransferResponse
from providers.tapayz.states import UNKNOWN, invoice_state, transfer_state
from stream.events import InvoicePayload, Payload, TransferPayload, VerificationRequest

INVOICE, TRANSFER = "invoice", "transaction"
_PROGRESS = {"Ready": 0, "Wait": 1, "Pending": 2}
_FINAL = 3
_TRANSFER_STATES = {"pending": "Pending", "completed": "Complete", "failed": "Fail"}
"""The API's transfer states → those of the webhooks."""
_invoices = msgspec.json.Decoder(ApiInvoiceList)
_transfers = msgspec.json.Decoder(ApiTransferResponse)


def invoice_event_id(payload: InvoicePayload, at: int | None) -> str | None:
    """Return an event id made of invoice, state and time (`at`), since Tapayz has none; None without a time."""
    return None if at is None else f"{payload.invoice_id}:{payload.state}:{at}"


def transfer_event_id(event: str, payload: TransferPayload) -> str:
    """Return an event id made of event type, transfer and state: a transfer reaches each state once."""
    return f"{event}:{payload.transaction_id}:{payload.state}"


def verification_request(payload: Payload) -> VerificationRequest:
    """Return the verification request for an unsigned invoice or transfer, whose only claim is the state.

    Raises TypeError for another payload.
    """
    if isinstance(payload, InvoicePayload):
        return VerificationRequest(subject=INVOICE, alias=payload.invoice_id, claims={"state": payload.state})
    if isinstance(payload, TransferPayload):
        return VerificationRequest(subject=TRANSFER, alias=payload.transaction_id, claims={"state": payload.state})
    raise TypeError(payload)


def build_request(request: VerificationRequest, key: str) -> ApiRequest:
    """Return `GET /invoices?invoiceId={id}`, or `GET /api/v1/transactions/{id}` for a transfer, with the API key."""
    name, headers = api_support.quoted(request.alias), {"Authorization": key}
    if request.subject == INVOICE:
        return ApiRequest("GET", f"/invoices?invoiceId={name}", headers)
    return ApiRequest("GET", f"/api/v1/transactions/{name}", headers)


def read_response(request: VerificationRequest, _received: Received, response: bytes) -> Translation:
    """Translate the invoice's or transfer's state at Tapayz.

    Raises NotKnownYet while the API does not have the invoice or the claimed state, InvalidField for an undocumented
    state, another transfer or a response that cannot be read.
    """
    try:
        return _read_invoice(request, response) if request.subject == INVOICE else _read_transfer(request, response)
    except Unsupported as unsupported:
        raise InvalidField(str(unsupported)) from unsupported


def _read_invoice(request: VerificationRequest, response: bytes) -> Translation:
    """Read the invoice from the list, since it is not documented that the API filters by `invoiceId`."""
    invoices = api_support.decode(_invoices, response).list
    invoice = next((invoice for invoice in invoices if invoice.id == request.alias), None)
    if invoice is None:
        raise NotKnownYet(f"no invoice {request.alias} in the response")
    state = invoice_state(invoice.state)
    _check_progress(request, state)
    customer, asset, coin = invoice.customer or ApiCustomer(), invoice.cash or ApiAsset(), invoice.crypto or ApiAsset()
    amount, currency = cash(invoice.cashAmount, asset.id, CASH_ASSETS)
    at = {"Complete": invoice.completedAt, "Cancel": invoice.expiredAt}.get(state)
    payload = InvoicePayload(
        invoice_id=request.alias,
        customer_id=customer.id,
        customer_name=customer.name,
        state=state,
        title=invoice.title,
        cash_amount=amount,
        cash_currency=currency,
        crypto_amount=crypto(invoice.cryptoAmount, "cryptoAmount"),
        crypto_asset=coin.id,
        reason=invoice.reason or (UNKNOWN if state == "Fail" else None),
        completed_at=korean(invoice.completedAt, "completedAt"),
        expired_at=korean(at, "expiredAt") if state == "Cancel" else None,
    )
    happened = korean(at, "completedAt")
    return Translation(payload, "invoice.updated", happened, invoice_event_id(payload, happened))


def _read_transfer(request: VerificationRequest, response: bytes) -> Translation:
    transfer = api_support.decode(_transfers, response).data
    if transfer.id != request.alias:
        raise InvalidField(f"the response is about another transfer than {request.alias}")
    state = transfer_state(_TRANSFER_STATES.get(transfer.status, transfer.status))
    _check_progress(request, state)
    at = korean(transfer.confirmed_at, "confirmed_at")
    payload = TransferPayload(
        invoice_id=transfer.invoice_id,
        alias=request.alias if transfer.invoice_id is None else None,
        transaction_id=request.alias,
        state=state,
        amount=crypto(transfer.amount, "amount"),
        hash=transfer.hash or None,
        reason=UNKNOWN if state == "Fail" else None,
        changed_at=at,
    )
    return Translation(payload, "transaction.updated", at, transfer_event_id("transaction.updated", payload))


def _check_progress(request: VerificationRequest, state: str) -> None:
    claimed = request.claims.get("state", state)
    if _PROGRESS.get(state, _FINAL) < _PROGRESS.get(claimed, _FINAL):
        raise NotKnownYet(f"{request.subject} {request.alias} is {state} at Tapayz, and not yet {claimed}")
