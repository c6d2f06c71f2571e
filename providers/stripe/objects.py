"""The fields of Stripe's objects that are read. Cards and addresses are not among them."""

from typing import Annotated, Generic, TypeVar

import msgspec

from providers.parsing.fields import ABSENT, STRICT, AnyJson, Id, Instant, OrderId, StrictOptional, Text
from providers.parsing.money import RawMinorUnits

T = TypeVar("T")
Units = Annotated[RawMinorUnits, STRICT]


class StripeEventHead(msgspec.Struct):
    """The fields that distinguish snapshot events from thin ones and from cloud envelopes (`detail`, `specversion`)."""

    type: Text = ""
    object: Text | None = None
    specversion: Text | None = None
    detail: msgspec.Raw = ABSENT


class StripeEventData(msgspec.Struct, Generic[T]):
    object: T


class StripeEvent(msgspec.Struct, Generic[T]):
    id: Id
    type: Text
    data: StripeEventData[T]
    created: Instant = ABSENT
    livemode: StrictOptional[bool] = None
    api_version: Text | None = None


class Metadata(msgspec.Struct):
    """The shop's order id, by either name. A value that is not a valid id is treated as absent."""

    order_id: OrderId | None = None
    orderId: OrderId | None = None


class StripeObject(msgspec.Struct, kw_only=True):
    """The fields that all of Stripe's objects here share. Only sessions have a `client_reference_id`."""

    id: Id
    metadata: Metadata | None = None
    client_reference_id: OrderId | None = None
    currency: StrictOptional[Text] = None


class CheckoutSession(StripeObject, kw_only=True):
    payment_status: Text
    mode: Text | None = None
    payment_intent: Id | None = None
    amount_total: Units = ABSENT
    payment_method_types: tuple[Text, ...] | None = None


class PaymentError(msgspec.Struct):
    message: Text | None = None


class ChargeId(msgspec.Struct):
    id: Id


class ChargeList(msgspec.Struct):
    data: tuple[ChargeId, ...] = ()


class PaymentIntent(StripeObject, kw_only=True):
    """A payment intent. Older API versions have `charges` in place of `latest_charge`."""

    amount: Units = ABSENT
    amount_received: Units = ABSENT
    latest_charge: Id | None = None
    charges: ChargeList | None = None
    last_payment_error: PaymentError | None = None
    payment_method_types: tuple[Text, ...] | None = None


class PaymentMethodDetails(msgspec.Struct):
    type: Text | None = None


class StripeCharge(StripeObject, kw_only=True):
    status: Text | None = None
    payment_intent: Id | None = None
    amount: Units = ABSENT
    amount_captured: Units = ABSENT
    amount_refunded: Units = ABSENT
    captured: StrictOptional[bool] = None
    refunded: Annotated[bool, STRICT] = False
    failure_message: Text | None = None
    payment_method_details: PaymentMethodDetails | None = None


class StripeRefund(StripeObject, kw_only=True):
    """A refund. `balance_transaction` is null if no money moved; older API versions leave it out."""

    balance_transaction: AnyJson = ""
    status: StrictOptional[Text] = None
    payment_intent: Id | None = None
    charge: Id | None = None
    amount: Units = ABSENT
    reason: Text | None = None
    failure_reason: Text | None = None


class EvidenceDetails(msgspec.Struct):
    due_by: Instant = ABSENT


class StripeDispute(StripeObject, kw_only=True):
    """A dispute. Its evidence is not read, because it names people."""

    status: Text | None = None
    payment_intent: Id | None = None
    charge: Id | None = None
    amount: Units = ABSENT
    reason: Text | None = None
    evidence_details: EvidenceDetails | None = None
