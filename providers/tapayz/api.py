"""What Tapayz's API is asked when a webhook bears no signature, and what its answers say."""

import msgspec

from providers.contract import (
    ApiRequest,
    ApiVerification,
    InvalidField,
    NotKnownYet,
    Received,
    Translation,
    Unsupported,
)
from providers.parsing import json_body
from providers.parsing.fields import ABSENT, Instant, OrderId, StrictOptional, Text, quoted
from providers.parsing.timestamps import korean
from providers.tapayz.objects import CASH_ASSETS, UNKNOWN, cash, crypto, invoice_state, transfer_state
from stream.events import InvoiceNotice, Notice, Question, TransferNotice

INVOICE, TRANSFER = "invoice", "transaction"

_HOW_FAR = {"Ready": 0, "Wait": 1, "Pending": 2}
_LAST = 3
_TRANSFER_STATES = {"pending": "Pending", "completed": "Complete", "failed": "Fail"}
"""The API's words for a transfer's states, which are not the webhooks'."""


class ApiAsset(msgspec.Struct):
    id: OrderId | None = None
    symbol: Text | None = None


class ApiCustomer(msgspec.Struct):
    id: OrderId | None = None
    name: Text | None = None


class ApiInvoice(msgspec.Struct):
    """`expiredAt` is when it expires if it is not paid, and says nothing of whether it did."""

    id: OrderId
    state: Text
    title: Text | None = None
    cashAmount: msgspec.Raw = ABSENT
    cryptoAmount: msgspec.Raw = ABSENT
    reason: Text | None = None
    completedAt: Instant = ABSENT
    expiredAt: Instant = ABSENT
    customer: ApiCustomer | None = None
    cash: ApiAsset | None = None
    crypto: ApiAsset | None = None


class ApiInvoiceList(msgspec.Struct):
    list: tuple[ApiInvoice, ...]


class ApiTransfer(msgspec.Struct):
    id: OrderId
    status: Text
    invoice_id: StrictOptional[OrderId] = None
    amount: msgspec.Raw = ABSENT
    hash: Text | None = None
    confirmed_at: Instant = ABSENT


class ApiTransferResponse(msgspec.Struct):
    data: ApiTransfer


_invoices = msgspec.json.Decoder(ApiInvoiceList)
_transfers = msgspec.json.Decoder(ApiTransferResponse)


def invoice_event(notice: InvoiceNotice, at: int | None) -> str | None:
    """Tapayz names no event: the invoice, its state and when. Without a time the digest has to tell."""
    return None if at is None else f"{notice.invoice_id}:{notice.state}:{at}"


def transfer_event(event: str, notice: TransferNotice) -> str:
    """A transfer reaches each state once; that it was made and that it is still pending are two events."""
    return f"{event}:{notice.transaction_id}:{notice.state}"


def verification_request(notice: Notice) -> Question:
    """What to ask about something nobody has signed. All it claims is a state: the rest must come from the API."""
    if isinstance(notice, InvoiceNotice):
        return Question(subject=INVOICE, reference=notice.invoice_id, claims={"state": notice.state})
    if isinstance(notice, TransferNotice):
        return Question(subject=TRANSFER, reference=notice.transaction_id, claims={"state": notice.state})
    raise TypeError(notice)


def build_request(asked: Question, key: str) -> ApiRequest:
    """The request that answers a question, with the API key."""
    name, headers = quoted(asked.reference), {"Authorization": key}
    if asked.subject == INVOICE:
        return ApiRequest("GET", f"/invoices?invoiceId={name}", headers)
    return ApiRequest("GET", f"/api/v1/transactions/{name}", headers)


def read_response(asked: Question, received: Received, answer: bytes) -> Translation:  # noqa: ARG001
    """What is true by the API. Raises NotKnownYet while it is behind the webhook, Unreadable for another's answer."""
    try:
        return _read_invoice(asked, answer) if asked.subject == INVOICE else _read_transfer(asked, answer)
    except Unsupported as odd:
        raise InvalidField(str(odd)) from odd


def _read_invoice(asked: Question, answer: bytes) -> Translation:
    """The list is searched: whether the API heeds `invoiceId` is not documented."""
    told = next((one for one in json_body.read(_invoices, answer).list if one.id == asked.reference), None)
    if told is None:
        raise NotKnownYet(f"no invoice {asked.reference} in the answer")
    state = invoice_state(told.state)
    _check_it_is_there(asked, state)
    customer, asset, coin = told.customer or ApiCustomer(), told.cash or ApiAsset(), told.crypto or ApiAsset()
    amount, currency = cash(told.cashAmount, asset.id, CASH_ASSETS)
    at = {"Complete": told.completedAt, "Cancel": told.expiredAt}.get(state)
    notice = InvoiceNotice(
        invoice_id=asked.reference,
        customer_id=customer.id,
        customer_name=customer.name,
        state=state,
        title=told.title,
        cash_amount=amount,
        cash_currency=currency,
        crypto_amount=crypto(told.cryptoAmount, "cryptoAmount"),
        crypto_asset=coin.id,
        reason=told.reason or (UNKNOWN if state == "Fail" else None),
        completed_at=korean(told.completedAt, "completedAt"),
        expired_at=korean(at, "expiredAt") if state == "Cancel" else None,
    )
    happened = korean(at, "completedAt")
    return Translation(notice, "invoice.updated", happened, invoice_event(notice, happened))


def _read_transfer(asked: Question, answer: bytes) -> Translation:
    told = json_body.read(_transfers, answer).data
    if told.id != asked.reference:
        raise InvalidField(f"the answer is about another transfer than {asked.reference}")
    state = transfer_state(_TRANSFER_STATES.get(told.status, told.status))
    _check_it_is_there(asked, state)
    at = korean(told.confirmed_at, "confirmed_at")
    notice = TransferNotice(
        invoice_id=told.invoice_id,
        reference=asked.reference if told.invoice_id is None else None,
        transaction_id=asked.reference,
        state=state,
        amount=crypto(told.amount, "amount"),
        hash=told.hash or None,
        reason=UNKNOWN if state == "Fail" else None,
        changed_at=at,
    )
    return Translation(notice, "transaction.updated", at, transfer_event("transaction.updated", notice))


def _check_it_is_there(asked: Question, state: str) -> None:
    claimed = asked.claims.get("state", state)
    if _HOW_FAR.get(state, _LAST) < _HOW_FAR.get(claimed, _LAST):
        raise NotKnownYet(f"{asked.subject} {asked.reference} is {state} at Tapayz, and not yet {claimed}")


API_VERIFICATION = ApiVerification(
    api_url="https://api.crypted-pay.com", build_request=build_request, read_response=read_response
)
