"""What is read of Tapayz's bodies, and the words both its webhooks and its API use."""

from collections.abc import Mapping
from typing import Annotated, Generic, TypeVar, get_args

import msgspec

from providers.contract import Unsupported
from providers.fields import Id, Instant, OrderId, Text
from providers.money import NOT_SAID, units_of_text
from stream.events import InvoiceState, TransferState

T = TypeVar("T")
Decimal = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{1,30}(\.[0-9]{1,30})?\Z")]
"""An amount on a chain: kept as it is written, for no number type holds all of its digits everywhere."""
Block = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]

CASH_ASSETS: Mapping[str, str] = {"1": "KRW", "2": "USD"}
"""Tapayz's id of a cash asset → its currency; one not listed, or not said, is DEFAULT_CASH."""
DEFAULT_CASH = "KRW"
UNKNOWN = "unknown"
"""The reason of a failure that names none."""

_INVOICE_STATES: dict[str, InvoiceState] = {state: state for state in get_args(InvoiceState)}
_TRANSFER_STATES: dict[str, TransferState] = {state: state for state in get_args(TransferState)}


class Head(msgspec.Struct):
    """What tells an envelope from a flat body, which has neither."""

    event: Text | None = None
    data: msgspec.Raw = NOT_SAID


class Enveloped(msgspec.Struct, Generic[T]):
    data: T
    timestamp: Instant | None = None


class Payer(msgspec.Struct):
    """The transfer that pays, as the invoice tells of it."""

    id: OrderId | None = None
    receivedAmount: Decimal | None = None
    expectedAmount: Decimal | None = None


class Invoice(msgspec.Struct):
    """`amount` is what flat bodies call `cryptoAmount`."""

    invoiceId: OrderId
    state: Text
    customerId: OrderId | None = None
    customerName: Text | None = None
    previousState: Text | None = None
    title: Text | None = None
    cashAmount: Text | None = None
    cashAssetId: OrderId | None = None
    cryptoAmount: Decimal | None = None
    amount: Decimal | None = None
    cryptoAssetId: OrderId | None = None
    receivedAmount: Decimal | None = None
    expectedAmount: Decimal | None = None
    reason: Text | None = None
    completedAt: Instant | None = None
    expiredAt: Instant | None = None
    updatedAt: Instant | None = None
    timestamp: Instant | None = None
    transaction: Payer | None = None


class Coin(msgspec.Struct):
    id: OrderId | None = None


class Transfer(msgspec.Struct, rename={"from_": "from"}):
    id: OrderId
    state: Text
    invoiceId: OrderId | None = None
    customerId: OrderId | None = None
    assetId: OrderId | None = None
    Asset: Coin | None = None
    amount: Decimal | None = None
    detail: Text | None = None
    from_: Id | None = None
    to: Id | None = None
    blockNum: Block | None = None
    failureReason: Text | None = None
    reason: Text | None = None
    updatedAt: Instant | None = None
    finalizedAt: Instant | None = None
    timestamp: Instant | None = None


def invoice_state(said: str) -> InvoiceState:
    """Raises Unsupported for a state nobody has heard of."""
    if said not in _INVOICE_STATES:
        raise Unsupported("an invoice in a state that is not documented")
    return _INVOICE_STATES[said]


def transfer_state(said: str) -> TransferState:
    """Raises Unsupported for a state nobody has heard of."""
    if said not in _TRANSFER_STATES:
        raise Unsupported("a transfer in a state that is not documented")
    return _TRANSFER_STATES[said]


def cash(amount: str | None, asset: str | int | None, assets: Mapping[str, str]) -> tuple[int | None, str]:
    """Cash in minor units, exact, and its currency."""
    currency = assets.get(str(asset), DEFAULT_CASH)
    return None if amount is None else units_of_text(amount, currency, "cashAmount"), currency


def text(name: str | int | None) -> str | None:
    """An id as a text: `7` and `"7"` are the same."""
    return None if name is None else str(name)
