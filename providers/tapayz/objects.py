"""Tapayz's webhook bodies, and the fields of its API's responses."""

from typing import Generic, TypeVar

import msgspec

from providers.parsing.fields import ABSENT, Id, Instant, OrderId, StrictOptional, Text
from providers.parsing.timestamps import raw_text

T = TypeVar("T")


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


class ApiAsset(msgspec.Struct):
    id: OrderId | None = None
    symbol: Text | None = None


class ApiCustomer(msgspec.Struct):
    id: OrderId | None = None
    name: Text | None = None


class ApiInvoice(msgspec.Struct):
    """An invoice. `expiredAt` is the time at which it expires if it is not paid; the state shows whether it did."""

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
