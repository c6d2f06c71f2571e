"""The state of one user's subscription: when each order for a plan was approved, cancelled, and is billed again.

The subscription follows the latest paid order, so the cancel of an older order does not end it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from processors.subscription.domain.calendar_dates import a_month_after
from processors.subscription.domain.order_ids import parse_order_id
from stream.events import Micros, OrderId
from stream.state import registers
from stream.state.aliases import NO_ORDER
from stream.state.registers import UNSET, Register, Registers

FREE = "free"
"""The plan of a user without a paid order."""

RESTORED = "restored:"
"""The prefix of a stored register's name; an event id follows. The value is when the order became paid again."""


class OrderRegisters(Registers, frozen=True):
    """The times of an order's approval, cancel and next billing, in microseconds.

    `paid_by` is when money was refunded last, by which time the order was paid.
    """

    approved_at: Register[Micros] = UNSET
    paid_by: Register[Micros] = UNSET
    cancelled_at: Register[Micros] = UNSET
    next_billing_at: Register[Micros] = UNSET


@dataclass(frozen=True, slots=True)
class PaidOrder:
    """The state of one order. `restored` holds, by event id, each time that it became paid again as a refund failed."""

    registers: OrderRegisters = field(default_factory=OrderRegisters)
    restored: Mapping[str, Register[int]] = field(default_factory=dict)

    @property
    def cancelled_at(self) -> Micros | None:
        """The time of the order's cancel, in microseconds; None without one, and once the order was paid again."""
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
    orders: Mapping[OrderId, PaidOrder] = field(default_factory=dict)

    @property
    def last_order_id(self) -> OrderId | None:
        """The id of the paid order that began last; None if no order was ever paid. A cancelled order counts."""
        began = [(at, order_id) for order_id in self.orders if (at := self._began_at(order_id)) is not None]
        return max(began)[1] if began else None

    @property
    def status(self) -> str:
        """`inactive` without a paid order, else `active`, or `cancelled` if the last order is cancelled."""
        if self.last_order_id is None:
            return "inactive"
        return "active" if self.cancelled_at is None else "cancelled"

    @property
    def plan(self) -> str:
        """The plan of the last order, even after that order was cancelled; FREE without one."""
        ordered = parse_order_id(self.last_order_id)
        return ordered.plan if ordered else FREE

    @property
    def started_at(self) -> Micros | None:
        """The time at which the last order began, in microseconds; None without a paid order."""
        return None if self.last_order_id is None else self._began_at(self.last_order_id)

    @property
    def cancelled_at(self) -> Micros | None:
        """The time of the last order's cancel, in microseconds; None if that order is not cancelled."""
        return None if self.last_order_id is None else self.orders[self.last_order_id].cancelled_at

    @property
    def restored(self) -> int:
        """The number of times that the last order became paid again after a cancel because its refund failed."""
        order = self.orders.get(self.last_order_id or NO_ORDER, PaidOrder())
        return len(order.restored) if order.registers.cancelled_at is not UNSET else 0

    @property
    def ends_at(self) -> Micros | None:
        """One calendar month after the start, or the time of an earlier cancel, in microseconds; None if inactive."""
        if self.started_at is None:
            return None
        end = a_month_after(self.started_at)
        return end if self.cancelled_at is None else min(end, self.cancelled_at)

    @property
    def next_billing_at(self) -> Micros | None:
        """The billing date that the provider stated last (microseconds), else `ends_at`; None once cancelled.

        Dates of all orders that are not cancelled count, because a date may belong to the order that will be charged
        then. Dates before the start of the subscription do not.
        """
        if self.status == "cancelled":
            return None
        dates = [order.registers.next_billing_at for order in self.orders.values() if order.cancelled_at is None]
        to_come = [(date.stamp, date.value) for date in dates if (date.value or 0) > (self.started_at or 0)]
        return max(to_come)[1] if to_come else self.ends_at

    def _began_at(self, order_id: OrderId) -> Micros | None:
        """Return when an order was approved, in microseconds; None for an order that was never paid.

        If the approval is unknown and money was refunded, it is the time in the order id, else that of the refund.
        """
        state, ordered = self.orders[order_id].registers, parse_order_id(order_id)
        approved_at, paid_by = state.approved_at.value, state.paid_by.value
        if approved_at is not None or paid_by is None:
            return approved_at
        return ordered.at if ordered and ordered.at is not None else paid_by
