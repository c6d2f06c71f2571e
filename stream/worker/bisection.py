"""Finds the failing events of a batch: handle all events at once, and if that fails, halve until each failure is alone.

An event fails when its handler raises, or when a domain event that follows from it cannot be encoded.
"""

from collections.abc import Callable, Sequence
from typing import cast

import msgspec
from sqlalchemy import Connection

from stream.events import Record
from stream.kafka.delivery import Delivery
from stream.state.fold import Result
from stream.store.error_classification import is_store_failure
from stream.store.outbox import OutboxMessage
from stream.worker.handler import Handler
from stream.worker.publishing.messages import MessageFactory


class Succeeded(msgspec.Struct, frozen=True, gc=False):
    """The result of a handled event, and the messages with its domain events, which are not in the outbox yet."""

    result: Result
    messages: list[OutboxMessage]


HandledBatch = list[Succeeded | Exception]
"""One item per event, in order: its result, or the exception with which it failed."""

Runner = Callable[[Connection, Sequence[Delivery], Handler[Record], MessageFactory], HandledBatch]
"""Handles the events of a batch: `together` or `in_parts`."""


class BatchFailed(Exception):
    """An event of the batch failed; roll the transaction back and handle the batch with `in_parts`."""

    def __init__(self, failure: Exception) -> None:
        super().__init__(f"an event of this batch fails: {failure}")
        self.failure = failure


def together(
    tx: Connection, deliveries: Sequence[Delivery], handler: Handler[Record], factory: MessageFactory
) -> HandledBatch:
    """Handle all events in one call of the handler.

    Raises BatchFailed when an event fails, and the store's own exception when the store fails.
    """
    try:
        return _handle(tx, deliveries, handler, factory) if deliveries else []
    except Exception as failure:
        if is_store_failure(failure):
            raise
        raise BatchFailed(failure) from failure


def in_parts(
    tx: Connection, deliveries: Sequence[Delivery], handler: Handler[Record], factory: MessageFactory
) -> HandledBatch:
    """Handle the events in savepoints, so that only those that fail are rolled back: a failing part is halved again.

    Return an exception for each event that fails. Raises the store's own exception when the store fails.
    """
    if not deliveries:
        return []
    try:
        with tx.begin_nested():
            return _handle(tx, deliveries, handler, factory)
    except Exception as failure:
        if is_store_failure(failure):
            raise
        if len(deliveries) == 1:
            return [failure]
    half = len(deliveries) // 2
    parts = deliveries[:half], deliveries[half:]
    return [handled for part in parts for handled in in_parts(tx, part, handler, factory)]


def _handle(
    tx: Connection, deliveries: Sequence[Delivery], handler: Handler[Record], factory: MessageFactory
) -> HandledBatch:
    events = cast("list[Record]", [delivery.event for delivery in deliveries])  # the callers leave out unreadable ones
    results = handler(tx, events)
    pairs = zip(deliveries, results, strict=True)
    return [Succeeded(result, factory.domain_events(delivery, result)) for delivery, result in pairs]
