"""Folds a batch of events into the states of their aggregates, one by one, in the order they came."""

from collections.abc import Callable, Hashable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from stream.events import DomainEvent, OutcomeKind

S = TypeVar("S")
E = TypeVar("E")
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one event: its aggregate's key (also that of the facts on their topic), and what to announce.

    `woken` are the ids of events that waited for what this one told, and are processed with it.
    """

    key: str
    outcome: OutcomeKind
    facts: tuple[DomainEvent, ...]
    woken: tuple[str, ...] = ()


Apply = Callable[[S, E], tuple[S, OutcomeKind, tuple[DomainEvent, ...]]]


def fold(
    states: MutableMapping[str, S], events: Sequence[E], key: Callable[[E], str], apply: Apply[S, E]
) -> list[Result]:
    """Apply each event to the state under its key, replacing it in `states`; one result an event."""
    results = []
    for event in events:
        name = key(event)
        states[name], outcome, facts = apply(states[name], event)
        results.append(Result(name, outcome, facts))
    return results
