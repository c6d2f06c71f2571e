"""`tosspayments`: the fields of contract C's events. Those of Toss Payments' own webhooks are in `toss`."""

import msgspec

from providers.parsing.fields import ABSENT, Id, Instant, OrderId, StrictOptional, Text


class SubscriptionCancel(msgspec.Struct):
    cancelAmount: msgspec.Raw = ABSENT
    cancelReason: Text | None = None
    canceledAt: Instant = ABSENT
    transactionKey: Id | None = None


class SubscriptionFailure(msgspec.Struct):
    code: Text | None = None
    message: Text | None = None


class SubscriptionEventHead(msgspec.Struct):
    eventType: Text


class SubscriptionFields(msgspec.Struct):
    """The fields of all four events, flat or in `data`. The card is never read."""

    data: "SubscriptionFields | None" = None
    orderId: StrictOptional[OrderId] = None
    paymentKey: Id | None = None
    billingKey: Id | None = None
    customerKey: Id | None = None
    lastTransactionKey: Id | None = None
    status: Text | None = None
    totalAmount: msgspec.Raw = ABSENT
    amount: msgspec.Raw = ABSENT
    currency: StrictOptional[Text] = None
    method: Text | None = None
    approvedAt: Instant = ABSENT
    failureCode: Text | None = None
    failureMessage: Text | None = None
    failure: SubscriptionFailure | None = None
    cancelReason: Text | None = None
    canceledAt: Instant = ABSENT
    cancels: StrictOptional[list[SubscriptionCancel]] = None
    nextBillingAt: Instant = ABSENT
    nextBillingDate: Instant = ABSENT
    scheduledAt: Instant = ABSENT
    billingDate: Instant = ABSENT
    createdAt: Instant = ABSENT
