"""The fields of Toss Payments' API responses, and those of webhooks that they are checked against."""

import msgspec

from providers.parsing.fields import ABSENT, AnyJson, Id, Instant, OrderId, StrictOptional, Text


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
