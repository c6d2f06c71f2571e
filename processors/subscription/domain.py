"""What a user's subscription is after any set of facts about payments. Pure; the same in whatever order they come.

Each order that names a user and a plan is an entry: when it was approved, cancelled, when it is billed again. The
subscription is that of the user's latest paid order; so the cancel of an older one ends nothing.
"""

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

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
from stream.state.registers import Told

TRANSITIONS = (("inactive",), ("active", "cancelled"))
"""A newer order makes a cancelled subscription active again."""

FREE = "free"
"""The plan of who has none."""

HEEDED = PaymentCompleted | PaymentCancelled | PaymentRefunded | BillingScheduled
"""What changes a subscription. An unchecked or wrong amount is announced as none of these."""

REPORTED = "tosspayments"
"""The provider of contract C: all it sends should be for a plan."""

KST = timezone(timedelta(hours=9), "KST")
"""Months and days are those on the calendar of the people who pay: Korea, without summer time since 1988."""

REFUND_FAILED = "refund_failed"
RESTORED = "restored:"
"""The reason why a payment is published again after a cancel, and the prefix of the register of each such time."""

YEARS = range(2000, 2100)
_ORDER = re.compile(r"BIZ-(?P<user>.+)-(?P<plan>[A-Za-z0-9_]+)-(?P<date>[0-9]{14}|[0-9]{8})")


@dataclass(frozen=True, slots=True)
class Ordered:
    """What an order's id says: who ordered which plan, and when (microseconds since 1970 UTC), where that is a date."""

    user_id: str
    plan: str
    at: int | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """All that was told of the orders of one user."""

    user_id: str
    version: int = 0
    orders: Mapping[str, Told] = field(default_factory=dict)

    @property
    def last_order_id(self) -> str | None:
        """The paid order that began last; one that was never paid begins nothing, and its cancel ends nothing."""
        began = [(at, order_id) for order_id in self.orders if (at := self._began_at(order_id)) is not None]
        return max(began)[1] if began else None

    @property
    def status(self) -> str:
        if self.last_order_id is None:
            return "inactive"
        return "active" if self.cancelled_at is None else "cancelled"

    @property
    def plan(self) -> str:
        """The plan of the last order, also when that was cancelled: its status says so."""
        ordered = read(self.last_order_id)
        return ordered.plan if ordered else FREE

    @property
    def started_at(self) -> int | None:
        return None if self.last_order_id is None else self._began_at(self.last_order_id)

    @property
    def cancelled_at(self) -> int | None:
        return None if self.last_order_id is None else self.cancel_of(self.last_order_id)

    @property
    def restored(self) -> int:
        """The number of times the last order was paid again after a cancel, as its refund failed."""
        told = self.orders.get(self.last_order_id or "", {})
        return sum(name.startswith(RESTORED) for name in told) if "cancelled_at" in told else 0

    @property
    def ends_at(self) -> int | None:
        """One calendar month after the approval, or when it was cancelled."""
        if self.started_at is None:
            return None
        end = a_month_after(self.started_at)
        return end if self.cancelled_at is None else min(end, self.cancelled_at)

    @property
    def next_billing_at(self) -> int | None:
        """What the provider said last, of any order that stands, of a time to come; else the end. None once cancelled.

        The order it was said of may be the one that is to be charged then.
        """
        if self.status == "cancelled":
            return None
        standing = [told for order_id, told in self.orders.items() if self.cancel_of(order_id) is None]
        dates = [told["next_billing_at"] for told in standing if "next_billing_at" in told]
        to_come = [date for date in dates if date[1] > (self.started_at or 0)]
        return max(to_come)[1] if to_come else self.ends_at

    def cancel_of(self, order_id: str) -> int | None:
        """When it was cancelled; None where its payment was found to stand after that."""
        told = self.orders[order_id]
        when, at = told.get("cancelled_at", (registers.UNTOLD, None))
        stands = [stamp for name, (stamp, _) in told.items() if name.startswith(RESTORED)]
        return at if when > max(stands, default=registers.UNTOLD) else None

    def _began_at(self, order_id: str) -> int | None:
        """When it was approved; if nobody said, but money was given back, when it was ordered."""
        told, ordered = self.orders[order_id], read(order_id)
        approved_at: int | None = registers.value(told, "approved_at")
        paid_by: int | None = registers.value(told, "paid_by")
        if approved_at is not None or paid_by is None:
            return approved_at
        return ordered.at if ordered and ordered.at is not None else paid_by


Truth = tuple[type[SubscriptionEvent], tuple[str, ...]]
"""A kind of fact, and the user and order that make it one fact and not another; and which time, if it is told again."""


def read(order_id: str | None) -> Ordered | None:
    """What `BIZ-{user}-{PLAN}-{8 or 14 digits}` says; None of another id. A user may have dashes, a plan has none."""
    parts = _ORDER.fullmatch(order_id or "")
    return Ordered(parts["user"], parts["plan"].lower(), _ordered_at(parts["date"])) if parts else None


def a_month_after(at: int) -> int:
    """The same day and time of the next month in Korea, or its last day where it has no such day."""
    start = (EPOCH + timedelta(microseconds=at)).astimezone(KST)
    year, month = divmod(start.year * 12 + start.month, 12)
    day = min(start.day, monthrange(year, month + 1)[1])
    return _micros(start.replace(year=year, month=month + 1, day=day))


def apply(subscription: Subscription, fact: HEEDED) -> tuple[Subscription, OutcomeKind, tuple[DomainEvent, ...]]:
    """The subscription after the fact, what became of it, and what is true now that was not before.

    What becomes true again, as an approval moves its order back behind another, has the id it had: it is heard once.
    """
    order_id = fact.order_id or ""
    when = (0, fact.occurred_at or fact.received_at, 0, fact.event_id)
    told = registers.tell(subscription.orders.get(order_id, {}), when, _said(fact))
    after = replace(subscription, version=subscription.version + 1, orders={**subscription.orders, order_id: told})
    is_active = any(kind is SubscriptionActivated and key[1] == order_id for kind, key in truths(after))
    late = isinstance(fact, PaymentCompleted) and not is_active
    news = [truth for truth in truths(after) if truth not in truths(subscription)]
    return after, "late" if late else "processed", tuple(_announce(truth, after, fact) for truth in news)


def truths(subscription: Subscription) -> tuple[Truth, ...]:
    """What can be said of the subscription as it stands: of its last order."""
    if subscription.last_order_id is None:
        return ()
    kind = SubscriptionActivated if subscription.status == "active" else SubscriptionCancelled
    again = (str(subscription.restored + 1),) if subscription.restored else ()
    return ((kind, (subscription.user_id, subscription.last_order_id, *again)),)


def without_plan(fact: DomainEvent) -> str | None:
    """The order of a payment that should be for a plan, and names none."""
    heeded = isinstance(fact, HEEDED) and fact.provider == REPORTED
    return fact.order_id if heeded and read(fact.order_id) is None else None


def missing(order_id: str, cause: DomainEvent) -> PlanMissing:
    """What is announced, once, of such an order."""
    return PlanMissing(
        event_id=ids.fact_id("PlanMissing", order_id),
        caused_by=cause.caused_by,
        mode=cause.mode,
        occurred_at=cause.occurred_at,
        received_at=cause.received_at,
        order_id=order_id,
    )


def _said(fact: HEEDED) -> dict[str, int | None]:
    at = fact.occurred_at or fact.received_at
    match fact:
        case PaymentCompleted():
            if fact.reason == REFUND_FAILED:
                return {f"{RESTORED}{fact.event_id}": at, "approved_at": fact.paid_at}
            return {"approved_at": fact.paid_at or at}
        case PaymentCancelled():
            return {"cancelled_at": fact.cancelled_at or at, "paid_by": at if fact.refunded_amount else None}
        case PaymentRefunded():
            return {"paid_by": at}
        case BillingScheduled():
            return {"next_billing_at": fact.next_billing_at}


def _announce(truth: Truth, subscription: Subscription, cause: HEEDED) -> SubscriptionEvent:
    kind, (user_id, order_id, *again) = truth
    return kind(
        event_id=ids.fact_id(kind.__name__, user_id, order_id, *again),
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
