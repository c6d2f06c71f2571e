"""What is read of Stripe's objects: these fields and no others. Cards and addresses are not among them."""

from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec

from providers.fields import Id, Text
from providers.money import NOT_SAID, Counted

T = TypeVar("T")
Units = Counted
Seconds = Annotated[int, msgspec.Meta(ge=0, le=2**33)]
OrderName = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | Annotated[str, msgspec.Meta(max_length=500)] | None


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
    created: Seconds | None = None
    livemode: bool | None = None


class Metadata(msgspec.Struct):
    """Where a shop writes its order, by either name."""

    order_id: OrderName = None
    orderId: OrderName = None


class Thing(msgspec.Struct, kw_only=True):
    """What every object below may say; only sessions have a `client_reference_id`."""

    id: Id
    metadata: Metadata | None = None
    client_reference_id: OrderName = None
    currency: Text | None = None


class Session(Thing, kw_only=True):
    payment_status: Literal["paid", "unpaid", "no_payment_required"]
    mode: Text | None = None
    payment_intent: Id | None = None
    amount_total: Units | None = None
    payment_method_types: tuple[Text, ...] | None = None


class Problem(msgspec.Struct):
    message: Text | None = None


class Named(msgspec.Struct):
    id: Id


class Charges(msgspec.Struct):
    data: tuple[Named, ...] = ()


class Intent(Thing, kw_only=True):
    """`charges` is what older versions of the API have in place of `latest_charge`."""

    amount: Units | None = None
    amount_received: Units | None = None
    latest_charge: Id | None = None
    charges: Charges | None = None
    last_payment_error: Problem | None = None
    payment_method_types: tuple[Text, ...] | None = None


class Method(msgspec.Struct):
    type: Text | None = None


class Charge(Thing, kw_only=True):
    status: Text | None = None
    payment_intent: Id | None = None
    amount: Units | None = None
    amount_captured: Units | None = None
    amount_refunded: Units | None = None
    captured: bool | None = None
    refunded: bool = False
    failure_message: Text | None = None
    payment_method_details: Method | None = None


class Refund(Thing, kw_only=True):
    """`balance_transaction` is null where no money moved; older versions leave it out."""

    balance_transaction: Any = ""
    status: Literal["pending", "requires_action", "succeeded", "failed", "canceled"] | None = None
    payment_intent: Id | None = None
    charge: Id | None = None
    amount: Units | None = None
    reason: Text | None = None
    failure_reason: Text | None = None
