"""The subscription domain: a user's subscription after any set of events about payments.

Pure. The result does not depend on the order in which events arrive. The state holds each order that names a user and a
plan: when it was approved, cancelled, and when it is billed again. The subscription follows the user's latest paid
order, so the cancel of an older order does not end it.
"""

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Self

from runtime.clock import EPOCH
from stream.events import (
    BillingScheduled,
    DomainEvent,
    OutcomeKind,
    PaymentCancelled,
    PaymentCompleted,
    PaymentRefunded,
    PlanMissing,
    SubscriptionActivated,
    SubscriptionCancelled,
    SubscriptionEvent,
    ids,
)
from stream.state import registers
from stream.state.registers import UNSET, Register, Registers, Stamp, register

TRANSITIONS = (("inactive",), ("active", "cancelled"))
"""A newer order makes a cancelled subscription active again."""

FREE = "free"
"""The plan of a user without a paid order."""

SubscriptionInput = PaymentCompleted | PaymentCancelled | PaymentRefunded | BillingScheduled
"""The domain events that change a subscription. A payment of an unchecked or wrong amount publishes none of them."""

PLAN_PROVIDER = "tosspayments"
"""The provider of contract C, whose payments must all be for a plan."""

KST = timezone(timedelta(hours=9), "KST")
"""The time zone of the customers' calendar months and days: Korea, which has had no summer time since 1988."""

REFUND_FAILED = "refund_failed"
"""The reason why a payment is published again after a cancel."""

RESTORED = "restored:"
"""The prefix of the name of a stored register that holds when an order became paid again; its event id follows."""

YEARS = range(2000, 2100)
_ORDER = re.compile(r"BIZ-(?P<user>.+)-(?P<plan>[A-Za-z0-9_]+)-(?P<date>[0-9]{14}|[0-9]{8})")


@dataclass(frozen=True, slots=True)
class PlanOrder:
    """The content of an order id. `at` is its time (microseconds since 1970 UTC), None if its digits are no date."""

    user_id: str
    plan: str
    at: int | None


class OrderRegisters(Registers, frozen=True):
    """The times of an order's approval, latest payment, cancel and next billing, in microseconds."""

    approved_at: Register[int] = UNSET
    paid_by: Register[int] = UNSET
    cancelled_at: Register[int] = UNSET
    next_billing_at: Register[int] = UNSET


@dataclass(frozen=True, slots=True)
class PaidOrder:
    """The state of one order. `restored` holds, by event id, each time that it became paid again after a cancel."""

    registers: OrderRegisters = field(default_factory=OrderRegisters)
    restored: Mapping[str, Register[int]] = field(default_factory=dict)

    @property
    def cancelled_at(self) -> int | None:
        """The time of the order's cancel, in microseconds; None if its payment was restored after the cancel."""
        cancelled = self.registers.cancelled_at
        restored = max((register.stamp for register in self.restored.values()), default=UNSET.stamp)
        return cancelled.value if cancelled.stamp > restored else None

    @classmethod
    def load(cls, stored: str) -> Self:
        """Return the order whose `dump` is `stored`."""
        restored = registers.load_prefixed(stored, RESTORED, int) if RESTORED in stored else {}
        return cls(registers.load(OrderRegisters, stored), restored)

    def dump(self) -> str:
        """Return the order's registers as JSON, for a column."""
        return registers.dump(self.registers, {RESTORED + name: restored for name, restored in self.restored.items()})


@dataclass(frozen=True, slots=True)
class Subscription:
    """The state of one user's orders, by order id."""

    user_id: str
    version: int = 0
    orders: Mapping[str, PaidOrder] = field(default_factory=dict)

    @property
    def last_order_id(self) -> str | None:
        """The paid order that began last. An order that was never paid does not count, and neither does its cancel."""
        began = [(at, order_id) for order_id in self.orders if (at := self._began_at(order_id)) is not None]
        return max(began)[1] if began else None

    @property
    def status(self) -> str:
        if self.last_order_id is None:
            return "inactive"
        return "active" if self.cancelled_at is None else "cancelled"

    @property
    def plan(self) -> str:
        """The plan of the last order, even after that order was cancelled."""
        ordered = parse_order_id(self.last_order_id)
        return ordered.plan if ordered else FREE

    @property
    def started_at(self) -> int | None:
        return None if self.last_order_id is None else self._began_at(self.last_order_id)

    @property
    def cancelled_at(self) -> int | None:
        return None if self.last_order_id is None else self.orders[self.last_order_id].cancelled_at

    @property
    def restored(self) -> int:
        """The number of times that the last order became paid again after a cancel because its refund failed."""
        order = self.orders.get(self.last_order_id or "", PaidOrder())
        return len(order.restored) if order.registers.cancelled_at is not UNSET else 0

    @property
    def ends_at(self) -> int | None:
        """One calendar month after the start, or the time of the cancel if that is earlier; microseconds."""
        if self.started_at is None:
            return None
        end = a_month_after(self.started_at)
        return end if self.cancelled_at is None else min(end, self.cancelled_at)

    @property
    def next_billing_at(self) -> int | None:
        """The last billing date that the provider stated (microseconds), else `ends_at`; None once cancelled.

        Dates of all orders that are not cancelled count, because a date may belong to the order that will be charged
        then. Dates before the start of the subscription do not.
        """
        if self.status == "cancelled":
            return None
        dates = [order.registers.next_billing_at for order in self.orders.values() if order.cancelled_at is None]
        to_come = [(date.stamp, date.value) for date in dates if (date.value or 0) > (self.started_at or 0)]
        return max(to_come)[1] if to_come else self.ends_at

    def _began_at(self, order_id: str) -> int | None:
        """Return when an order was approved; if unknown and money was refunded, when it was ordered (microseconds)."""
        state, ordered = self.orders[order_id].registers, parse_order_id(order_id)
        approved_at, paid_by = state.approved_at.value, state.paid_by.value
        if approved_at is not None or paid_by is None:
            return approved_at
        return ordered.at if ordered and ordered.at is not None else paid_by


EventKey = tuple[type[SubscriptionEvent], tuple[str, ...]]
"""The type of a domain event, and the parts of its id: the user, the order, and the occurrence if it recurs."""


def parse_order_id(order_id: str | None) -> PlanOrder | None:
    """Parse `BIZ-{user}-{PLAN}-{8 or 14 digits}`; None for any other id. A user may contain dashes, a plan may not."""
    parts = _ORDER.fullmatch(order_id or "")
    return PlanOrder(parts["user"], parts["plan"].lower(), _ordered_at(parts["date"])) if parts else None


def a_month_after(at: int) -> int:
    """Return the same day and time of the next month in Korea (microseconds), or its last day if it has no such day."""
    start = (EPOCH + timedelta(microseconds=at)).astimezone(KST)
    year, month = divmod(start.year * 12 + start.month, 12)
    day = min(start.day, monthrange(year, month + 1)[1])
    return _micros(start.replace(year=year, month=month + 1, day=day))


def apply(
    subscription: Subscription, event: SubscriptionInput
) -> tuple[Subscription, OutcomeKind, tuple[DomainEvent, ...]]:
    """Return the subscription after an event, the event's outcome, and the new domain events.

    An event that holds again, as after an approval that moves its order back behind another, keeps its id. Consumers
    therefore process it once.
    """
    order_id = event.order_id or ""
    order = _merged(subscription.orders.get(order_id, PaidOrder()), _order(event))
    after = replace(subscription, version=subscription.version + 1, orders={**subscription.orders, order_id: order})
    is_active = any(kind is SubscriptionActivated and key[1] == order_id for kind, key in event_keys(after))
    late = isinstance(event, PaymentCompleted) and not is_active
    new = [key for key in event_keys(after) if key not in event_keys(subscription)]
    return after, "late" if late else "processed", tuple(_build_event(key, after, event) for key in new)


def event_keys(subscription: Subscription) -> tuple[EventKey, ...]:
    """Return the keys of the domain events that hold for the subscription's last order."""
    if subscription.last_order_id is None:
        return ()
    kind = SubscriptionActivated if subscription.status == "active" else SubscriptionCancelled
    occurrence = (str(subscription.restored + 1),) if subscription.restored else ()
    return ((kind, (subscription.user_id, subscription.last_order_id, *occurrence)),)


def order_without_plan(event: DomainEvent) -> str | None:
    """Return the order of a payment that must be for a plan, if the order id names no plan."""
    must_have_plan = isinstance(event, SubscriptionInput) and event.provider == PLAN_PROVIDER
    return event.order_id if must_have_plan and parse_order_id(event.order_id) is None else None


def plan_missing_event(order_id: str, cause: DomainEvent) -> PlanMissing:
    """Build the event that is published once for an order without a plan."""
    return PlanMissing(
        event_id=ids.domain_event_id("PlanMissing", order_id),
        caused_by=cause.caused_by,
        mode=cause.mode,
        occurred_at=cause.occurred_at,
        received_at=cause.received_at,
        order_id=order_id,
    )


def _order(event: SubscriptionInput) -> PaidOrder:
    """Return the state of the event's order that this event alone makes."""
    at = event.occurred_at or event.received_at
    stamp = Stamp(0, at, 0, event.event_id)
    match event:
        case PaymentCompleted() if event.reason == REFUND_FAILED:
            approved = OrderRegisters(approved_at=register(stamp, event.paid_at))
            return PaidOrder(approved, {event.event_id: Register(stamp, at)})
        case PaymentCompleted():
            return PaidOrder(OrderRegisters(approved_at=Register(stamp, event.paid_at or at)))
        case PaymentCancelled():
            cancelled_at = Register(stamp, event.cancelled_at or at)
            paid_by = register(stamp, at if event.refunded_amount else None)
            return PaidOrder(OrderRegisters(cancelled_at=cancelled_at, paid_by=paid_by))
        case PaymentRefunded():
            return PaidOrder(OrderRegisters(paid_by=Register(stamp, at)))
        case BillingScheduled():
            return PaidOrder(OrderRegisters(next_billing_at=register(stamp, event.next_billing_at)))


def _merged(one: PaidOrder, other: PaidOrder) -> PaidOrder:
    return PaidOrder(
        registers.merge(one.registers, other.registers), registers.merge_by_key(one.restored, other.restored)
    )


def _build_event(event_key: EventKey, subscription: Subscription, cause: SubscriptionInput) -> SubscriptionEvent:
    kind, (user_id, order_id, *occurrence) = event_key
    return kind(
        event_id=ids.domain_event_id(kind.__name__, user_id, order_id, *occurrence),
        caused_by=cause.caused_by,
        mode=cause.mode,
        occurred_at=cause.occurred_at,
        received_at=cause.received_at,
        order_id=order_id,
        customer_id=user_id,
        contact=cause.contact if cause.order_id == order_id else None,
        plan=subscription.plan,
        started_at=subscription.started_at,
        ends_at=subscription.ends_at,
        next_billing_at=subscription.next_billing_at,
    )


def _ordered_at(digits: str) -> int | None:
    try:
        at = datetime.strptime(digits.ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=KST)
    except ValueError:
        return None
    return _micros(at) if at.year in YEARS else None


def _micros(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)
