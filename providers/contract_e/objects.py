"""The fields of contract E's bodies, by all names that its providers use."""

import msgspec

from providers.parsing.fields import ABSENT, Id, Instant, OrderId, StrictOptional, Text


class FailureMessage(msgspec.Struct):
    message: Text | None = None


class AmountTotal(msgspec.Struct):
    total: msgspec.Raw = ABSENT


class ContractECancel(msgspec.Struct):
    """One entry of Toss's `cancels`, which list all cancels of the payment so far."""

    cancelAmount: msgspec.Raw = ABSENT
    transactionKey: Id | None = None
    cancelReason: Text | None = None
    canceledAt: Instant = ABSENT


class ContractEFields(msgspec.Struct):
    """The fields of all providers of contract E, by all names that they use; flat, or in `data`."""

    data: "ContractEFields | None" = None
    status: Text | None = None
    eventId: OrderId | None = None
    imp_uid: Id | None = None
    aid: Id | None = None
    tid: Id | None = None
    paymentKey: Id | None = None
    merchant_uid: StrictOptional[OrderId] = None
    orderId: StrictOptional[OrderId] = None
    order_id: StrictOptional[OrderId] = None
    partner_order_id: StrictOptional[OrderId] = None
    refundId: StrictOptional[OrderId] = None
    refund_id: StrictOptional[OrderId] = None
    cancellation_id: Id | None = None
    merchantPayKey: StrictOptional[OrderId] = None
    MOID: StrictOptional[OrderId] = None
    P_OID: StrictOptional[OrderId] = None
    paymentId: Id | None = None
    P_TID: Id | None = None
    totalPayAmount: msgspec.Raw = ABSENT
    TotPrice: msgspec.Raw = ABSENT
    P_AMT: msgspec.Raw = ABSENT
    approved_cancel_amount: msgspec.Raw = ABSENT
    balanceAmount: msgspec.Raw = ABSENT
    cancels: StrictOptional[list[ContractECancel]] = None
    admissionYmdt: Instant = ABSENT
    currency: StrictOptional[Text] = None
    amount: msgspec.Raw = ABSENT
    totalAmount: msgspec.Raw = ABSENT
    total_amount: msgspec.Raw = ABSENT
    cancel_amount: msgspec.Raw = ABSENT
    cancelAmount: msgspec.Raw = ABSENT
    canceled_amount: msgspec.Raw = ABSENT
    method: Text | None = None
    paymentMethod: Text | None = None
    pay_method: Text | None = None
    payment_method_type: Text | None = None
    fail_reason: Text | None = None
    failReason: Text | None = None
    failureMessage: Text | None = None
    failure: FailureMessage | None = None
    cancel_reason: Text | None = None
    cancelReason: Text | None = None
    reason: Text | None = None
    paid_at: Instant = ABSENT
    paidAt: Instant = ABSENT
    approvedAt: Instant = ABSENT
    approved_at: Instant = ABSENT
    cancelled_at: Instant = ABSENT
    cancelledAt: Instant = ABSENT
    canceledAt: Instant = ABSENT
    canceled_at: Instant = ABSENT
    failed_at: Instant = ABSENT
    failedAt: Instant = ABSENT
    createdAt: Instant = ABSENT
    timestamp: Instant = ABSENT
