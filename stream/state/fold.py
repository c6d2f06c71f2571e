"""Folds a batch of events into the states of their aggregates, one event after the other."""

from collections.abc import Callable, MutableMapping, Sequence
from typing import TypeVar

import msgspec

from stream.events import DomainEvent, OutcomeKind

S = TypeVar("S")
E = TypeVar("E")


class Result(msgspec.Struct, frozen=True, gc=False):
    """The result of one event: its aggregate's key, its outcome, and the domain events to publish under that key.

    `released` are the ids of waiting events that this one releases: they are processed with it.
    """

    key: str
    outcome: OutcomeKind
    events: tuple[DomainEvent, ...]
    released: tuple[str, ...] = ()


Apply = Callable[[S, E], tuple[S, OutcomeKind, tuple[DomainEvent, ...]]]
"""Returns the state after an event, the event's outcome, and the domain events that follow from it."""


def fold_into(
    states: MutableMapping[str, S], events: Sequence[E], key: Callable[[E], str], apply: Apply[S, E]
) -> list[Result]:
    """Apply each event in turn to the state under its key, and replace that state in `states`.

    Return one result per event, in order. Raises KeyError when `states` lacks a key, and whatever `apply` raises.
    """
    results = []
    for event in events:
        aggregate = key(event)
        states[aggregate], outcome, domain_events = apply(states[aggregate], event)
        results.append(Result(aggregate, outcome, domain_events))
    return results
