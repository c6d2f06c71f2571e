"""One batch in one transaction: what is new is handled, what was handled is not handled again.

Whether it commits or not, inbox, state and outbox agree; so a batch that is delivered again changes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from stream import inbox, outbox
from stream.delivery import Delivery, Unreadable
from stream.events import OutcomeKind
from stream.fold import Result
from stream.messages import Messages
from stream.outbox import Message

Handler = Callable[[Connection, Sequence[Any]], Sequence[Result]]
"""Changes a service's store by new events, in their order, inside the batch's transaction; one result an event."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What a committed batch leaves to be told: messages with their rows in the outbox, and outcomes."""

    rows: list[int] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    outcomes: list[tuple[Delivery, OutcomeKind]] = field(default_factory=list)


def apply(tx: Connection, deliveries: Sequence[Delivery], handler: Handler, messages: Messages) -> Applied:
    """Handle what is new, remember all of it, and keep what follows from it in the outbox, in the batch's order."""
    fresh, judged = inbox.sort_out(deliveries, inbox.known(tx, deliveries))
    readable = [delivery for delivery in fresh if not isinstance(delivery.event, Unreadable)]
    handled = handler(tx, [delivery.event for delivery in readable]) if readable else []
    results = {delivery.event_id: result for delivery, result in zip(readable, handled, strict=True)}
    told: list[Message] = []
    outcomes: list[tuple[Delivery, OutcomeKind]] = []
    for delivery in fresh:
        if isinstance(delivery.event, Unreadable):
            told.append(messages.dead(delivery, delivery.event))
            outcomes.append((delivery, "abandoned"))
        else:
            told += messages.facts(delivery, results[delivery.event_id])
            outcomes.append((delivery, results[delivery.event_id].outcome))
    inbox.insert(tx, outcomes)
    for delivery in readable:
        told += messages.woken(delivery, inbox.wake(tx, results[delivery.event_id].woken))
    return Applied(outbox.insert(tx, told), told, [*outcomes, *judged])
