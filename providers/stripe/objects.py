"""What is read of Stripe's objects: these fields and no others. Cards and addresses are not among them."""

from typing import Annotated, Any, Generic, TypeVar

import msgspec

from providers.parsing.fields import DECIDES, NOT_SAID, Decides, Id, Instant, Text
from providers.parsing.money import Counted

T = TypeVar("T")
Units = Annotated[Counted, DECIDES]


class Head(msgspec.Struct):
    """What tells a snapshot event from a thin one, and from one that a cloud has wrapped (`detail`, `specversion`)."""

    type: Text = ""
    object: Text | None = None
    specversion: Text | None = None
    detail: msgspec.Raw = NOT_SAID


class Data(msgspec.Struct, Generic[T]):
    object: T


class Event(msgspec.Struct, Generic[T]):
    id: Id
    type: Text
    data: Data[T]
    created: Instant = NOT_SAID
    livemode: Decides[bool] = None
    api_version: Text | None = None


class Metadata(msgspec.Struct):
    """The shop's order id, by either name. A value that cannot be an id is treated as absent."""

    order_id: Id | None = None
    orderId: Id | None = None


class Thing(msgspec.Struct, kw_only=True):
    """What every object below may say; only sessions have a `client_reference_id`."""

    id: Id
    metadata: Metadata | None = None
    client_reference_id: Id | None = None
    currency: Decides[Text] = None


class Session(Thing, kw_only=True):
    payment_status: Text
    mode: Text | None = None
    payment_intent: Id | None = None
    amount_total: Units = NOT_SAID
    payment_method_types: tuple[Text, ...] | None = None


class Problem(msgspec.Struct):
    message: Text | None = None


class Named(msgspec.Struct):
    id: Id


class Charges(msgspec.Struct):
    data: tuple[Named, ...] = ()


class Intent(Thing, kw_only=True):
    """`charges` is what older versions of the API have in place of `latest_charge`."""

    amount: Units = NOT_SAID
    amount_received: Units = NOT_SAID
    latest_charge: Id | None = None
    charges: Charges | None = None
    last_payment_error: Problem | None = None
    payment_method_types: tuple[Text, ...] | None = None


class Method(msgspec.Struct):
    type: Text | None = None


class Charge(Thing, kw_only=True):
    status: Text | None = None
    payment_intent: Id | None = None
    amount: Units = NOT_SAID
    amount_captured: Units = NOT_SAID
    amount_refunded: Units = NOT_SAID
    captured: Decides[bool] = None
    refunded: Annotated[bool, DECIDES] = False
    failure_message: Text | None = None
    payment_method_details: Method | None = None


class Refund(Thing, kw_only=True):
    """`balance_transaction` is null where no money moved; older versions leave it out."""

    balance_transaction: Any = ""
    status: Decides[Text] = None
    payment_intent: Id | None = None
    charge: Id | None = None
    amount: Units = NOT_SAID
    reason: Text | None = None
    failure_reason: Text | None = None


class EvidenceDetails(msgspec.Struct):
    due_by: Instant = NOT_SAID


class Dispute(Thing, kw_only=True):
    """Its evidence, which names people, is not among what is read."""

    status: Text | None = None
    payment_intent: Id | None = None
    charge: Id | None = None
    amount: Units = NOT_SAID
    reason: Text | None = None
    evidence_details: EvidenceDetails | None = None
