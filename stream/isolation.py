"""Finds the events that fail: all of a batch at once, and where that fails, its halves, until each stands alone."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection

from stream.delivery import Delivery
from stream.failures import is_of_store
from stream.fold import Result

Handler = Callable[[Connection, Sequence[Any]], Sequence[Result]]
"""Changes a service's store by new events, in their order, inside the batch's transaction; one result an event."""

Handled = list[Result | Exception]
"""For each event its result, or why it failed."""

Runner = Callable[[Connection, Sequence[Delivery], Handler], Handled]


class BatchFailed(Exception):
    """Some event of this batch fails; its transaction is to be rolled back, and the batch handled in parts."""

    def __init__(self, failure: Exception) -> None:
        super().__init__(f"an event of this batch fails: {failure}")
        self.failure = failure


def together(tx: Connection, deliveries: Sequence[Delivery], handler: Handler) -> Handled:
    """Handle all events at once.

    Raises BatchFailed when one of them fails, and what the store raises when that fails.
    """
    try:
        return list(handler(tx, [delivery.event for delivery in deliveries])) if deliveries else []
    except Exception as failure:
        if is_of_store(failure):
            raise
        raise BatchFailed(failure) from failure


def in_parts(tx: Connection, deliveries: Sequence[Delivery], handler: Handler) -> Handled:
    """Handle the events, those that fail rolled back alone: a savepoint a part, and a failing part is halved."""
    if not deliveries:
        return []
    try:
        with tx.begin_nested():
            return list(handler(tx, [delivery.event for delivery in deliveries]))
    except Exception as failure:
        if is_of_store(failure):
            raise
        if len(deliveries) == 1:
            return [failure]
    half = len(deliveries) // 2
    return [*in_parts(tx, deliveries[:half], handler), *in_parts(tx, deliveries[half:], handler)]
