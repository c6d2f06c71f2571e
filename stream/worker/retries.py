"""Retries failed events: those that succeed lose their row in `retries`, others wait for the next retry or are dead."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from stream.avro.codec import Codec
from stream.events import Record
from stream.kafka import delivery
from stream.kafka.delivery import Delivery, UnreadableRecord
from stream.state import retry_policy
from stream.state.retry_policy import MAX_RETRIES
from stream.store import inbox, outbox, retrying, waiting
from stream.store.error_classification import describe
from stream.store.inbox import DeliveryOutcome
from stream.store.outbox import OutboxMessage
from stream.store.retrying import FailedEvent, Status
from stream.worker.batch import Applied
from stream.worker.bisection import Succeeded, in_parts
from stream.worker.handler import Handler
from stream.worker.publishing.messages import MessageFactory

FailurePolicy = Callable[[FailedEvent, str], tuple[FailedEvent, Status]]
"""Returns the new state of an event that failed again with this error."""


def count_attempt(event: FailedEvent, error: str) -> tuple[FailedEvent, Status]:
    """Return the event with the failed attempt counted; `dead` after MAX_RETRIES retries, else `retrying`."""
    attempts = retry_policy.next_attempt(event.attempts)
    return replace(event, attempts=attempts, error=error), "dead" if attempts > MAX_RETRIES else "retrying"


def keep_attempts(event: FailedEvent, error: str) -> tuple[FailedEvent, Status]:
    """Return the event with the new error and as many attempts as before: the cause is probably not this event.

    It stays `retrying`, but is `dead` after an operator's last retry.
    """
    return replace(event, error=error), "dead" if event.attempts > MAX_RETRIES else "retrying"


def mark_dead(event: FailedEvent, error: str) -> tuple[FailedEvent, Status]:
    """Return the event with the failed attempt counted, and `dead`: waiting does not make a record decodable."""
    return replace(event, attempts=event.attempts + 1, error=error), "dead"


def retry(
    tx: Connection,
    due: Sequence[FailedEvent],
    codec: Codec,
    handler: Handler[Record],
    factory: MessageFactory,
    policy: FailurePolicy,
    first_wait_s: float,
) -> Applied:
    """Handle the due events again in `tx`, and write their outcomes and messages; the caller commits, then publishes.

    Events that fail again get their new state from `policy`, and dead ones a dead letter. An undecodable record, due
    only after an operator redrove it, is dead again if it still cannot be decoded. Of several records of one event only
    the first is retried. Raises the store's own exception when the store fails, and RegistryError when a remote schema
    registry does.
    """
    records = _first_per_event([(event, _read(codec, event)) for event in due])
    known = inbox.known(tx, [read for event, read in records if read.event_id != event.event_id])
    ready = [(event, read) for event, read in records if read.event_id not in known and _is_readable(read)]
    results = in_parts(tx, [read for _, read in ready], handler, factory)
    handled_by_id = {event.event_id: result for (event, _), result in zip(ready, results, strict=True)}
    messages: list[OutboxMessage] = []
    outcomes: list[DeliveryOutcome] = []
    for event, read in records:
        attempt = retry_policy.next_attempt(event.attempts)
        if read.event_id in known:
            outcomes.append(DeliveryOutcome(read, inbox.repeated_outcome(read, known[read.event_id]), attempt))
        elif isinstance(read.event, UnreadableRecord):  # an operator redrove it, and it still cannot be decoded
            outcomes.append(_fail(tx, read, mark_dead(event, read.event.error), first_wait_s))
        elif isinstance(handled := handled_by_id[event.event_id], Succeeded):
            messages += handled.messages
            messages += factory.released(read, waiting.release(tx, handled.result.released))
            outcomes.append(DeliveryOutcome(read, handled.result.outcome, attempt))
        else:
            outcomes.append(_fail(tx, read, policy(event, describe(handled)), first_wait_s))
    for outcome in outcomes:
        if outcome.kind == "dead":
            messages += factory.dead_letter(outcome.delivery, outcome.error or "")
    _save_outcomes(tx, records, outcomes)
    return Applied(outbox.insert(tx, messages), messages, outcomes)


def _first_per_event(records: Sequence[tuple[FailedEvent, Delivery]]) -> list[tuple[FailedEvent, Delivery]]:
    """Keep the first record of each event id.

    Undecodable records have ids made from their positions, so several of them may turn out to be the same event once
    they can be decoded. After the first is handled, the next retry finds the others to be duplicates.
    """
    first: dict[str, tuple[FailedEvent, Delivery]] = {}
    for event, read in records:
        first.setdefault(read.event_id, (event, read))
    return list(first.values())


def _fail(tx: Connection, read: Delivery, failed: tuple[FailedEvent, Status], first_wait_s: float) -> DeliveryOutcome:
    retrying.save(tx, [failed], first_wait_s)
    event, status = failed
    return DeliveryOutcome(read, status, event.attempts, event.error)


def _save_outcomes(
    tx: Connection, records: Sequence[tuple[FailedEvent, Delivery]], outcomes: Sequence[DeliveryOutcome]
) -> None:
    """Write the outcomes to the inbox and delete the rows of events that no longer fail.

    A record that could not be decoded before gets an inbox row under its own id only now.
    """
    ended = [
        (event, outcome)
        for (event, _), outcome in zip(records, outcomes, strict=True)
        if outcome.kind not in ("retrying", "dead")
    ]
    decoded = [outcome for event, outcome in ended if outcome.delivery.event_id != event.event_id]
    kinds = [(event.event_id, outcome.kind) for (event, _), outcome in zip(records, outcomes, strict=True)]
    inbox.set_outcomes(tx, kinds)
    inbox.insert(tx, [outcome for outcome in decoded if outcome.kind not in ("duplicate", "conflict")])
    retrying.delete(tx, [event.event_id for event, _ in ended])


def _read(codec: Codec, event: FailedEvent) -> Delivery:
    return delivery.delivery(codec, event.topic, event.partition, event.offset, event.key, event.value)


def _is_readable(read: Delivery) -> bool:
    return not isinstance(read.event, UnreadableRecord)
