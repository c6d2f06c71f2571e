"""Tapayz's webhook bodies, and the states and amounts that its webhooks and its API share."""

import re
from collections.abc import Mapping
from typing import Generic, TypeVar, get_args

import msgspec

from providers.contract import InvalidField, Unsupported
from providers.parsing import json_body
from providers.parsing.fields import ABSENT, Id, Instant, StrictOptional, Text
from providers.parsing.money import units_of_any
from providers.parsing.timestamps import raw_text
from stream.events import InvoiceState, TransferState

T = TypeVar("T")
MAX_CRYPTO_DIGITS = 80
"""Maximum digits on either side of the point: the largest amount of a token, 2^256 - 1, has 78."""
_CRYPTO = re.compile(r"(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?", re.ASCII)
_text = msgspec.json.Decoder(str)
MAX_BLOCK_DIGITS = 18

CASH_ASSETS: Mapping[str, str] = {"1": "KRW", "2": "USD"}
"""Tapayz's id of a cash asset → its currency. An id that is absent or not listed means DEFAULT_CASH."""
DEFAULT_CASH = "KRW"
UNKNOWN = "unknown"
"""The reason of a failure for which none is given."""

_INVOICE_STATES: dict[str, InvoiceState] = {state: state for state in get_args(InvoiceState)}
_TRANSFER_STATES: dict[str, TransferState] = {state: state for state in get_args(TransferState)}


class CallbackHead(msgspec.Struct):
    """The fields that an envelope has and a flat body has not."""

    event: StrictOptional[Text] = None
    data: msgspec.Raw = ABSENT


class CallbackShape(msgspec.Struct):
    """The fields that distinguish an invoice, a new transfer and a changed transfer when no event is named."""

    id: Id | None = None
    invoiceId: StrictOptional[Id] = None
    state: Text | None = None
    cashAmount: msgspec.Raw = ABSENT
    cryptoAmount: msgspec.Raw = ABSENT
    title: msgspec.Raw = ABSENT
    createdAt: Instant = ABSENT
    updatedAt: Instant = ABSENT

    @property
    def event(self) -> str | None:
        """The event type of a body without event name; None if it is neither an invoice nor a transfer.

        A transfer has an `id`. An invoice has an `invoiceId`, and may have an `id` beside its cash, crypto or title.
        A transfer is new if it is pending and was never updated.
        """
        is_invoice = any(map(bytes, (self.cashAmount, self.cryptoAmount, self.title)))
        if self.id is None or (self.invoiceId is not None and is_invoice):
            return None if self.invoiceId is None else "invoice.updated"
        is_new = self.state == "Pending" and raw_text(self.updatedAt) in ("", "null", raw_text(self.createdAt))
        return "transaction.created" if is_new else "transaction.updated"


class Enveloped(msgspec.Struct, Generic[T]):
    data: T
    timestamp: Instant = ABSENT


class PayingTransfer(msgspec.Struct, rename={"from_": "from"}):
    """The transfer that pays an invoice, as part of the invoice; `detail` is its hash on the chain."""

    id: Id | None = None
    receivedAmount: msgspec.Raw = ABSENT
    expectedAmount: msgspec.Raw = ABSENT
    detail: Text | None = None
    from_: Text | None = None
    to: Text | None = None
    blockNum: msgspec.Raw = ABSENT


class InvoiceCallback(msgspec.Struct):
    """An invoice. In flat bodies, `amount` is the `cryptoAmount`."""

    invoiceId: Id
    state: Text
    customerId: StrictOptional[Id] = None
    customerName: Text | None = None
    previousState: Text | None = None
    title: Text | None = None
    cashAmount: msgspec.Raw = ABSENT
    cashAssetId: StrictOptional[Id] = None
    cryptoAmount: msgspec.Raw = ABSENT
    amount: msgspec.Raw = ABSENT
    cryptoAssetId: StrictOptional[Id] = None
    receivedAmount: msgspec.Raw = ABSENT
    expectedAmount: msgspec.Raw = ABSENT
    reason: Text | None = None
    completedAt: Instant = ABSENT
    expiredAt: Instant = ABSENT
    updatedAt: Instant = ABSENT
    timestamp: Instant = ABSENT
    transaction: PayingTransfer | None = None


class TransferAsset(msgspec.Struct):
    id: Id | None = None


class TransferCallback(msgspec.Struct, rename={"from_": "from"}):
    id: Id
    state: Text
    invoiceId: StrictOptional[Id] = None
    customerId: StrictOptional[Id] = None
    assetId: StrictOptional[Id] = None
    Asset: TransferAsset | None = None
    amount: msgspec.Raw = ABSENT
    detail: Text | None = None
    from_: Text | None = None
    to: Text | None = None
    blockNum: msgspec.Raw = ABSENT
    failureReason: Text | None = None
    reason: Text | None = None
    createdAt: Instant = ABSENT
    updatedAt: Instant = ABSENT
    finalizedAt: Instant = ABSENT
    timestamp: Instant = ABSENT


def invoice_state(state: str) -> InvoiceState:
    """Return `state` if Tapayz documents it for invoices. Raises Unsupported for any other."""
    if state not in _INVOICE_STATES:
        raise Unsupported("Tapayz does not document this state of an invoice")
    return _INVOICE_STATES[state]


def transfer_state(state: str) -> TransferState:
    """Return `state` if Tapayz documents it for transfers. Raises Unsupported for any other."""
    if state not in _TRANSFER_STATES:
        raise Unsupported("Tapayz does not document this state of a transfer")
    return _TRANSFER_STATES[state]


def cash(amount: msgspec.Raw, asset: str | None, assets: Mapping[str, str]) -> tuple[int | None, str]:
    """Return an amount of cash in minor units, None if it is absent, empty or zero; and its currency.

    The currency is that of `asset` in `assets`, or DEFAULT_CASH. Raises InvalidField for an amount that is no number.
    """
    currency = assets.get(asset or "", DEFAULT_CASH)
    return units_of_any(amount, currency, "cashAmount"), currency


def block(number: msgspec.Raw) -> int | None:
    """Return a block's number; None if it is absent or no number, so that a wrong one never refuses a webhook."""
    digits = bytes(number).strip(b'"')
    return int(digits) if digits.isdigit() and len(digits) <= MAX_BLOCK_DIGITS else None


def crypto(amount: msgspec.Raw, field: str) -> str | None:
    """Return an amount on a chain as a plain decimal text, None for an absent or empty one.

    The amount may be a text or a JSON number: `74.074074` and `0` stay as they are written, `1e-18` becomes
    `0.000000000000000001`. It is never converted to a number type, since none holds all digits. Raises InvalidField
    for anything else, such as a minus sign, and for more than MAX_CRYPTO_DIGITS digits on either side of the point.
    """
    raw_text = bytes(amount)
    if raw_text in (b"", b"null"):
        return None
    text = (json_body.read_again(_text, raw_text) if raw_text.startswith(b'"') else raw_text.decode()).strip()
    if not text:
        return None
    match = _CRYPTO.fullmatch(text.removeprefix("+"))
    if match is None or not (match[1] or match[2]):
        raise InvalidField(f"{field} must be a positive decimal number")
    plain = _plain(match[1], match[2] or "", int(match[3] or 0))
    if plain is None:
        raise InvalidField(f"{field} has more than {MAX_CRYPTO_DIGITS} digits on one side of the point")
    return plain


def _plain(whole: str, fraction: str, shift: int) -> str | None:
    """Return the number with its point moved by `shift` places, or None if it is then too long."""
    point, digits = len(whole) + shift, whole + fraction
    if max(len(digits), abs(shift)) > 2 * MAX_CRYPTO_DIGITS:
        return None
    digits = "0" * -point + digits + "0" * (point - len(digits))
    point = max(point, 0)
    whole, fraction = digits[:point].lstrip("0") or "0", digits[point:]
    if shift:
        fraction = fraction.rstrip("0")
    if max(len(whole), len(fraction)) > MAX_CRYPTO_DIGITS:
        return None
    return f"{whole}.{fraction}" if fraction else whole
