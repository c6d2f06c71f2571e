"""The fields of PortOne V1's webhooks and of its API's payments."""

import msgspec

from providers.parsing.fields import ABSENT, Id, Instant, OrderId, StrictOptional, Text


class PortoneV1Webhook(msgspec.Struct):
    """A webhook about a payment. Webhooks of other kinds, such as Inicis' escrow, have an `event`."""

    imp_uid: Id
    merchant_uid: StrictOptional[OrderId] = None
    status: Text | None = None
    cancellation_id: Id | None = None
    event: Text | None = None


class EscrowMarker(msgspec.Struct):
    event: Text | None = None


class CancelAnnotation(msgspec.Struct):
    amount: msgspec.Raw = ABSENT
    cancelled_at: Instant = ABSENT
    reason: Text | None = None
    cancellation_id: Id | None = None
    pg_tid: Id | None = None


class PortoneV1Payment(msgspec.Struct):
    """The fields of PortOne's PaymentAnnotation that are used. The card and the buyer are never read."""

    imp_uid: Id
    status: Text
    merchant_uid: StrictOptional[OrderId] = None
    pay_method: Text | None = None
    pg_tid: Text | None = None
    amount: msgspec.Raw = ABSENT
    cancel_amount: msgspec.Raw = ABSENT
    currency: StrictOptional[Text] = None
    started_at: Instant = ABSENT
    paid_at: Instant = ABSENT
    failed_at: Instant = ABSENT
    cancelled_at: Instant = ABSENT
    fail_reason: Text | None = None
    cancel_history: StrictOptional[list[CancelAnnotation]] = None


class PaymentReply(msgspec.Struct):
    code: int = 0
    response: StrictOptional[PortoneV1Payment] = None
