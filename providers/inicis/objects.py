"""The ids in Inicis' webhooks, and the fields of INIAPI's responses."""

import msgspec

from providers.parsing.fields import ABSENT, Id, OrderId, Text


class InicisIds(msgspec.Struct):
    """Inicis' transaction and the shop's order, which PC and mobile webhooks both have."""

    transaction: Id
    order: OrderId | None = None


class VirtualAccount(msgspec.Struct):
    """The virtual account of a payment and the time of its deposit."""

    accountNumber: Text | None = None
    depositDate: Text | None = None
    depositTime: Text | None = None


class InicisTransaction(msgspec.Struct):
    """The fields of INIAPI's response that are used. The card and the buyer are never read."""

    resultCode: Text
    resultMsg: Text | None = None
    tid: Id | None = None
    oid: OrderId | None = None
    price: msgspec.Raw = ABSENT
    paymethod: Text | None = None
    transactionStatus: Text | None = None
    approvedDate: Text | None = None
    approvedTime: Text | None = None
    vacctInfo: VirtualAccount | None = None
