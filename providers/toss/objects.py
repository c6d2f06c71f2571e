"""`toss`: the fields of Toss Payments' own webhooks, not of contract C, and of its API's responses."""

import msgspec

from providers.parsing.fields import ABSENT, AnyJson, Id, Instant, OrderId, StrictOptional, Text


class TossEventHead(msgspec.Struct):
    """The fields that distinguish the shapes."""

    eventType: Text | None = None
    secret: AnyJson = None


class TossEvent(msgspec.Struct):
    """The fields of a payment event that are read, flat or in `data`."""

    data: "TossEvent | None" = None
    paymentKey: Id | None = None
    orderId: StrictOptional[OrderId] = None
    status: Text | None = None
    cancelStatus: Text | None = None
    transactionKey: Id | None = None
    secret: Text | None = None


class TossCancel(msgspec.Struct):
    cancelAmount: msgspec.Raw = ABSENT
    transactionKey: Id | None = None
    cancelReason: Text | None = None
    canceledAt: Instant = ABSENT
    cancelStatus: StrictOptional[Text] = None

    @property
    def is_done(self) -> bool:
        """True if the money was given back. Only overseas wallets do that later than the cancel."""
        return self.cancelStatus in (None, "", "DONE")


class TossFailure(msgspec.Struct):
    message: Text | None = None


class TossPayment(msgspec.Struct):
    """The fields of Toss's Payment object that are used. The card is never read."""

    paymentKey: Id
    orderId: OrderId
    status: Text
    lastTransactionKey: Id | None = None
    method: Text | None = None
    totalAmount: msgspec.Raw = ABSENT
    balanceAmount: msgspec.Raw = ABSENT
    currency: StrictOptional[Text] = None
    requestedAt: Instant = ABSENT
    approvedAt: Instant = ABSENT
    secret: Text | None = None
    cancels: StrictOptional[list[TossCancel]] = None
    failure: TossFailure | None = None


class WebhookEvidence(msgspec.Struct):
    """Fields of a webhook that its verification request does not hold."""

    createdAt: Instant = ABSENT
    secret: AnyJson = None
    data: AnyJson = None
