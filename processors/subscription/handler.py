"""One transaction of the subscription processor: lock the users' subscriptions, fold the facts in, save."""

from collections.abc import Sequence

from sqlalchemy import Connection

from processors.subscription import store
from processors.subscription.domain import HEEDED, apply, missing, read, without_plan
from stream.events import DomainEvent, topics
from stream.state.fold import Result, fold

TOPICS = topics.READ_BY["subscription"]


def handle(tx: Connection, facts: Sequence[DomainEvent]) -> list[Result]:
    """Apply new facts, in their order; those of other payments are heard and change nothing."""
    ours = [fact for fact in facts if isinstance(fact, HEEDED) and read(fact.order_id)]
    subscriptions = store.lock(tx, sorted({key(fact) for fact in ours}))
    results = fold(subscriptions, ours, key, apply)
    store.save(tx, subscriptions.values(), touched={fact.order_id or "" for fact in ours})
    store.record(tx, zip(ours, results, strict=True))
    done = {fact.event_id: result for fact, result in zip(ours, results, strict=True)} | _report(tx, facts)
    return [done.get(fact.event_id) or Result(key(fact), "processed", ()) for fact in facts]


def key(fact: DomainEvent) -> str:
    """The user, else the order: what is announced of it is keyed by that."""
    ordered = read(fact.order_id)
    return ordered.user_id if ordered else fact.order_id or fact.event_id


def _report(tx: Connection, facts: Sequence[DomainEvent]) -> dict[str, Result]:
    """What is announced of orders without a plan: each the first time it is met."""
    causes: dict[str, DomainEvent] = {}
    for fact in facts:
        if (order_id := without_plan(fact)) is not None:
            causes.setdefault(order_id, fact)
    new = store.note(tx, sorted(causes))
    return {
        causes[order_id].event_id: Result(order_id, "processed", (missing(order_id, causes[order_id]),))
        for order_id in new
    }
