"""One batch in one transaction: what is new is handled, what was handled is not handled again.

Whether it commits or not, inbox, state, parked and outbox agree; so a batch that is delivered again changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from runtime import faults
from stream.events import OutcomeKind
from stream.kafka.delivery import Delivery, UnreadableRecord
from stream.store import idempotency_keys, inbox, outbox, retrying
from stream.store.error_classification import describe
from stream.store.outbox import Message
from stream.store.retrying import Retrying, Status
from stream.worker.bisection import Done, Handler, Runner
from stream.worker.messages import Teller


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a delivery, at which attempt, and why where it failed."""

    delivery: Delivery
    outcome: OutcomeKind
    attempt: int = 1
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What a committed batch leaves to be told: messages with their rows in the outbox, and outcomes."""

    rows: list[int] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    outcomes: list[Judged] = field(default_factory=list)


@faults.after("worker.before_commit")
def apply(
    tx: Connection,
    deliveries: Sequence[Delivery],
    handler: Handler,
    messages: Teller,
    run: Runner,
    first_wait_s: float,
) -> Applied:
    """Handle what is new, remember all of it, and keep what follows from it in the outbox, in the batch's order.

    An event that fails is parked, its first retry after `first_wait_s`; what nobody can decode is dead at once.
    """
    fresh, judged = inbox.split_repeated(deliveries, inbox.known(tx, deliveries))
    readable = [delivery for delivery in fresh if not isinstance(delivery.event, UnreadableRecord)]
    handled = dict(zip((delivery.event_id for delivery in readable), run(tx, readable, handler, messages), strict=True))
    told: list[Message] = []
    outcomes: list[Judged] = []
    failed: list[tuple[Retrying, Status]] = []
    for delivery in fresh:
        result = handled.get(delivery.event_id)
        if isinstance(delivery.event, UnreadableRecord):
            failed.append((retrying.first_failure(delivery, delivery.event.error), "abandoned"))
            told += messages.dead(delivery, delivery.event.error)
            outcomes.append(Judged(delivery, "abandoned", error=delivery.event.error))
        elif isinstance(result, Done):
            told += result.told
            outcomes.append(Judged(delivery, result.result.outcome))
        elif result is not None:
            failed.append((retrying.first_failure(delivery, describe(result)), "retrying"))
            outcomes.append(Judged(delivery, "retrying", error=describe(result)))
    retrying.save(tx, failed, first_wait_s)
    inbox.insert(tx, [(one.delivery, one.outcome) for one in outcomes])
    judged = idempotency_keys.judge(tx, readable, judged)
    wakers = {woken: delivery for delivery in readable for woken in _woken(handled[delivery.event_id])}
    for stood in inbox.release_waiting(tx, list(wakers)):
        told += messages.woken(wakers[stood[0]], [stood])
    return Applied(outbox.insert(tx, told), told, [*outcomes, *(Judged(*one) for one in judged)])


def _woken(result: Done | Exception) -> Sequence[str]:
    return result.result.woken if isinstance(result, Done) else ()
