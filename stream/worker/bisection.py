"""Finds the events that fail: all of a batch at once, and where that fails, its halves, until each stands alone.

An event fails when it cannot be handled, or when what follows from it cannot be put into words.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from stream.kafka.delivery import Delivery
from stream.state.fold import Result
from stream.store.error_classification import is_store_failure
from stream.store.outbox import Message
from stream.worker.messages import Teller

Handler = Callable[[Connection, Sequence[Any]], Sequence[Result]]
"""Changes a service's store by new events, in their order, inside the batch's transaction; one result an event."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an event, and the messages of what follows from it."""

    result: Result
    told: list[Message]


Handled = list[Done | Exception]
"""For each event what became of it, or why it failed."""

Runner = Callable[[Connection, Sequence[Delivery], Handler, Teller], Handled]


class BatchFailed(Exception):
    """Some event of this batch fails; its transaction is to be rolled back, and the batch handled in parts."""

    def __init__(self, failure: Exception) -> None:
        super().__init__(f"an event of this batch fails: {failure}")
        self.failure = failure


def together(tx: Connection, deliveries: Sequence[Delivery], handler: Handler, messages: Teller) -> Handled:
    """Handle all events at once.

    Raises BatchFailed when one of them fails, and what the store raises when that fails.
    """
    try:
        return _handle(tx, deliveries, handler, messages) if deliveries else []
    except Exception as failure:
        if is_store_failure(failure):
            raise
        raise BatchFailed(failure) from failure


def in_parts(tx: Connection, deliveries: Sequence[Delivery], handler: Handler, messages: Teller) -> Handled:
    """Handle the events, those that fail rolled back alone: a savepoint a part, and a failing part is halved."""
    if not deliveries:
        return []
    try:
        with tx.begin_nested():
            return _handle(tx, deliveries, handler, messages)
    except Exception as failure:
        if is_store_failure(failure):
            raise
        if len(deliveries) == 1:
            return [failure]
    half = len(deliveries) // 2
    parts = deliveries[:half], deliveries[half:]
    return [one for part in parts for one in in_parts(tx, part, handler, messages)]


def _handle(tx: Connection, deliveries: Sequence[Delivery], handler: Handler, messages: Teller) -> Handled:
    results = handler(tx, [delivery.event for delivery in deliveries])
    pairs = zip(deliveries, results, strict=True)
    return [Done(result, messages.facts(delivery, result)) for delivery, result in pairs]
