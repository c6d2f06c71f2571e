"""PortOne V2's webhooks of both versions, and its Payment object."""

from typing import Annotated

import msgspec

from providers.parsing.fields import ABSENT, STRICT, Id, Instant, OrderId, StrictOptional, Text
from providers.parsing.money import RawMinorUnits


class TransactionEventHead(msgspec.Struct):
    """The fields that distinguish the versions: 2024-04-25 has a `type`, 2024-01-01 a `status`."""

    type: Text | None = None
    status: Text | None = None


class TransactionData(msgspec.Struct):
    paymentId: OrderId
    transactionId: Id | None = None
    cancellationId: Id | None = None


class TransactionEvent(msgspec.Struct):
    data: TransactionData
    timestamp: Instant = ABSENT


class TransactionEvent2024January(msgspec.Struct):
    payment_id: OrderId
    tx_id: Id | None = None


class PaymentAmount(msgspec.Struct):
    """Amounts in minor units of the payment's currency: $1.50 is 150."""

    total: Annotated[RawMinorUnits, STRICT] = ABSENT
    cancelled: Annotated[RawMinorUnits, STRICT] = ABSENT


class PaymentMethod(msgspec.Struct):
    type: Text | None = None


class PortoneFailure(msgspec.Struct):
    reason: Text | None = None
    pgMessage: Text | None = None


class Cancellation(msgspec.Struct):
    id: Id
    totalAmount: Annotated[RawMinorUnits, STRICT]
    status: Text = "SUCCEEDED"
    reason: Text | None = None
    cancelledAt: Instant = ABSENT
    requestedAt: Instant = ABSENT


class PortoneV2Payment(msgspec.Struct):
    """The fields of PortOne's Payment that are used. The card and the customer are never read."""

    id: OrderId
    status: Text
    transactionId: Id | None = None
    pgTxId: Text | None = None
    amount: StrictOptional[PaymentAmount] = None
    currency: StrictOptional[Text] = None
    method: PaymentMethod | None = None
    requestedAt: Instant = ABSENT
    statusChangedAt: Instant = ABSENT
    paidAt: Instant = ABSENT
    failedAt: Instant = ABSENT
    cancelledAt: Instant = ABSENT
    failure: PortoneFailure | None = None
    cancellations: StrictOptional[list[Cancellation]] = None
