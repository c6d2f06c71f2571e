"""Tries parked events again: one that passes is as if it had never failed, one that fails waits or is given up."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from stream.avro.codec import Codec
from stream.kafka import delivery
from stream.kafka.delivery import Delivery, UnreadableRecord
from stream.store import inbox, outbox, retrying
from stream.store.error_classification import describe
from stream.store.outbox import Message
from stream.store.retrying import MAX_RETRIES, Retrying, Status
from stream.worker.batch import Applied, Judged
from stream.worker.bisection import Done, Handler, in_parts
from stream.worker.messages import Teller

Ruling = Callable[[Retrying, str], tuple[Retrying, Status]]
"""What becomes of an event that failed again."""


def count(event: Retrying, error: str) -> tuple[Retrying, Status]:
    """One attempt more; after the fifth retry it is given up."""
    attempts = retrying.next_attempt(event.attempts)
    return replace(event, attempts=attempts, error=error), "abandoned" if attempts > MAX_RETRIES else "retrying"


def excuse(event: Retrying, error: str) -> tuple[Retrying, Status]:
    """No attempt: too many fail at once for it to be this event's fault. One that a person gave up had its last."""
    return replace(event, error=error), "abandoned" if event.attempts > MAX_RETRIES else "retrying"


def give_up(event: Retrying, error: str) -> tuple[Retrying, Status]:
    """One attempt more, and the last: what nobody can decode becomes no better by waiting."""
    return replace(event, attempts=event.attempts + 1, error=error), "abandoned"


def retry(
    tx: Connection,
    due: Sequence[Retrying],
    codec: Codec,
    handler: Handler,
    messages: Teller,
    ruling: Ruling,
    first_wait_s: float,
) -> Applied:
    """Handle parked events again. Undecodable ones come again only when somebody redrives them."""
    again = _one_each([(event, _read(codec, event)) for event in due])
    known = inbox.known(tx, [one for event, one in again if one.event_id != event.event_id])
    ready = [(event, one) for event, one in again if one.event_id not in known and _is_readable(one)]
    handled = in_parts(tx, [one for _, one in ready], handler, messages)
    results = {event.event_id: result for (event, _), result in zip(ready, handled, strict=True)}
    told: list[Message] = []
    outcomes: list[Judged] = []
    for event, one in again:
        result = results.get(event.event_id)
        if isinstance(result, Done):
            told += result.told
            told += messages.woken(one, inbox.release_waiting(tx, result.result.woken))
            outcomes.append(Judged(one, result.result.outcome, retrying.next_attempt(event.attempts)))
        elif one.event_id in known:
            attempt = retrying.next_attempt(event.attempts)
            outcomes.append(Judged(one, inbox.judge(one, known[one.event_id]), attempt))
        else:
            outcomes.append(_fail(tx, event, one, result, ruling, first_wait_s))
    for judged in outcomes:
        told += messages.dead(judged.delivery, judged.error or "") if judged.outcome == "abandoned" else []
    _settle(tx, again, outcomes)
    return Applied(outbox.insert(tx, told), told, outcomes)


def _one_each(again: Sequence[tuple[Retrying, Delivery]]) -> list[tuple[Retrying, Delivery]]:
    """Of several records of one event the first: they were parked as what nobody could decode, by where they stood.

    What becomes of the first says of the others next time that they are duplicates.
    """
    first: dict[str, tuple[Retrying, Delivery]] = {}
    for event, one in again:
        first.setdefault(one.event_id, (event, one))
    return list(first.values())


def _fail(
    tx: Connection, event: Retrying, one: Delivery, failure: Exception | None, ruling: Ruling, first_wait_s: float
) -> Judged:
    if isinstance(one.event, UnreadableRecord):  # it was redriven, and nobody can decode it today either
        ruled, status = give_up(event, one.event.error)
    else:
        ruled, status = ruling(event, describe(failure or Exception("unknown")))
    retrying.save(tx, [(ruled, status)], first_wait_s)
    return Judged(one, status, ruled.attempts, ruled.error)


def _settle(tx: Connection, again: Sequence[tuple[Retrying, Delivery]], outcomes: Sequence[Judged]) -> None:
    """Let the inbox say what became of each; what could not be decoded before has its own id only now."""
    ended = [
        (event, judged)
        for (event, _), judged in zip(again, outcomes, strict=True)
        if judged.outcome not in ("retrying", "abandoned")
    ]
    named = [judged for event, judged in ended if judged.delivery.event_id != event.event_id]
    inbox.settle(tx, [(event.event_id, judged.outcome) for (event, _), judged in zip(again, outcomes, strict=True)])
    inbox.insert(tx, [(one.delivery, one.outcome) for one in named if one.outcome not in ("duplicate", "conflict")])
    retrying.delete(tx, [event.event_id for event, _ in ended])


def _read(codec: Codec, event: Retrying) -> Delivery:
    return delivery.delivery(codec, event.topic, event.partition, event.offset, event.key, event.value)


def _is_readable(one: Delivery) -> bool:
    return not isinstance(one.event, UnreadableRecord)
