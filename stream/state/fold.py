"""Folds a batch of events into the states of their aggregates, one event after the other."""

from collections.abc import Callable, Hashable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from stream.events import DomainEvent, OutcomeKind

S = TypeVar("S")
E = TypeVar("E")
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one event: its aggregate's key, its outcome, and the domain events to publish under that key.

    `released` are the ids of the waiting events that this event releases; they are processed together with it.
    """

    key: str
    outcome: OutcomeKind
    events: tuple[DomainEvent, ...]
    released: tuple[str, ...] = ()


Apply = Callable[[S, E], tuple[S, OutcomeKind, tuple[DomainEvent, ...]]]


def fold(
    states: MutableMapping[str, S], events: Sequence[E], key: Callable[[E], str], apply: Apply[S, E]
) -> list[Result]:
    """Apply each event to the state under its key and replace it in `states`; return one result per event, in order.

    Raises KeyError when `states` lacks a key, and whatever `apply` raises.
    """
    results = []
    for event in events:
        aggregate = key(event)
        states[aggregate], outcome, domain_events = apply(states[aggregate], event)
        results.append(Result(aggregate, outcome, domain_events))
    return results
