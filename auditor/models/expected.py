"""The rows that a store must hold, and the parts of a model that several processors need. Pure.

The domains' results do not depend on the order of events, so the order here need not be that of the workers.
"""

import json
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from auditor.evidence import Row
from stream.events import DomainEvent, ids
from stream.state import registers
from stream.state.registers import Register, Registers

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Tables = dict[str, dict[str, Row]]
"""Rows by table and key, as `auditor.stores` reads them."""


@dataclass(frozen=True, slots=True)
class ExpectedStore:
    """The rows that a store must hold, the ids of the events in its history, and those of its domain events."""

    tables: Tables
    history: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()


class KeyedDefaults(dict[K, V]):
    """A dictionary that makes and stores the value of a missing key, from the key."""

    def __init__(self, make: Callable[[K], V]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: K) -> V:
        self[key] = made = self._make(key)
        return made


def event_ids(keys: Iterable[tuple[type[DomainEvent], tuple[str, ...]]]) -> frozenset[str]:
    """Return the ids of domain events; `keys` holds the class of each, and the parts of its key."""
    return frozenset(ids.domain_event_id(kind.__name__, *key) for kind, key in keys)


def json_of(state: Registers | Mapping[str, Register[object]]) -> object:
    """Return registers as the store's JSON column returns them."""
    return json.loads(registers.dump(state))
