"""Applies one batch in one transaction: new events are handled, repeated ones only get an outcome.

Inbox, state, retrying events and outbox change in the same transaction, so a batch that is delivered again changes
nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from runtime import faults
from stream.events import Record
from stream.kafka.delivery import Delivery, UnreadableRecord
from stream.store import idempotency_keys, inbox, outbox, retrying, waiting
from stream.store.error_classification import describe
from stream.store.inbox import DeliveryOutcome
from stream.store.outbox import OutboxMessage
from stream.store.retrying import FailedEvent, Status
from stream.worker.bisection import Runner, Succeeded
from stream.worker.handler import Handler
from stream.worker.publishing.messages import MessageFactory


@dataclass(frozen=True, slots=True)
class Applied:
    """The result of a batch: the messages to publish once it is committed, and the outcome of each delivery.

    `outbox_ids` are the ids of the messages' rows in the outbox, in the same order.
    """

    outbox_ids: list[int] = field(default_factory=list)
    messages: list[OutboxMessage] = field(default_factory=list)
    outcomes: list[DeliveryOutcome] = field(default_factory=list)

    def joined(self, other: "Applied") -> "Applied":
        """Return both results as one, with the messages and outcomes of `other` last."""
        return Applied(
            self.outbox_ids + other.outbox_ids, self.messages + other.messages, self.outcomes + other.outcomes
        )


@faults.on_return("worker.before_commit")
def apply(
    tx: Connection,
    deliveries: Sequence[Delivery],
    handler: Handler[Record],
    factory: MessageFactory,
    run: Runner,
    first_wait_s: float,
) -> Applied:
    """Handle the new events of a batch, and insert them into the inbox and their messages into the outbox, in order.

    The caller commits `tx`, and publishes the messages afterwards. Repeated events only get an outcome. A failing event
    becomes retrying, with its first retry after about `first_wait_s` seconds. A record that cannot be decoded is dead
    at once. Raises what `run` raises.
    """
    fresh, repeated = inbox.split_repeated(deliveries, inbox.known(tx, deliveries))
    readable = [delivery for delivery in fresh if not isinstance(delivery.event, UnreadableRecord)]
    ids = (delivery.event_id for delivery in readable)
    handled_by_id = dict(zip(ids, run(tx, readable, handler, factory), strict=True))
    messages: list[OutboxMessage] = []
    outcomes: list[DeliveryOutcome] = []
    failed: list[tuple[FailedEvent, Status]] = []
    released_by: dict[str, Delivery] = {}
    for delivery in fresh:
        if isinstance(delivery.event, UnreadableRecord):
            failed.append((retrying.first_failure(delivery, delivery.event.error), "dead"))
            messages += factory.dead_letter(delivery, delivery.event.error)
            outcomes.append(DeliveryOutcome(delivery, "dead", error=delivery.event.error))
        elif isinstance(handled := handled_by_id[delivery.event_id], Succeeded):
            messages += handled.messages
            outcomes.append(DeliveryOutcome(delivery, handled.result.outcome))
            released_by.update(dict.fromkeys(handled.result.released, delivery))
        else:
            failed.append((retrying.first_failure(delivery, describe(handled)), "retrying"))
            outcomes.append(DeliveryOutcome(delivery, "retrying", error=describe(handled)))
    retrying.save(tx, failed, first_wait_s)
    inbox.insert(tx, outcomes)
    repeated = idempotency_keys.store_keys(tx, readable, repeated)
    for released in waiting.release(tx, released_by):
        messages += factory.released(released_by[released.event_id], [released])
    return Applied(outbox.insert(tx, messages), messages, outcomes + repeated)
