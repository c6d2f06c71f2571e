"""Facts that settle the same way in whatever order they are told.

A register holds a value and the stamp it was told with; the higher stamp wins. A stamp is (rank, time, position, id):
a status of higher rank wins, at equal rank the later time by the provider's clock, then the status that stands later
in the table, then the id, so that two workers never disagree.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

Stamp = tuple[int, int, int, str]
Told = Mapping[str, tuple[Stamp, Any]]

UNTOLD: Stamp = (-1, 0, 0, "")


def stamp(tiers: Sequence[Sequence[str]], status: str, at: int | None, event_id: str) -> Stamp:
    """The stamp of an event by a transition table: tiers of statuses, each tier may follow those before it."""
    for rank, tier in enumerate(tiers):
        if status in tier:
            return rank, at or 0, tier.index(status), event_id
    raise ValueError(f"the transition table has no status {status}")


def tell(told: Told, when: Stamp, said: Mapping[str, Any]) -> Told:
    """The registers after an event; what it leaves open (None) stays as it was told before."""
    newer = {
        name: (when, value) for name, value in said.items() if value is not None and when > told.get(name, (UNTOLD,))[0]
    }
    return {**told, **newer}


def merge(one: Told, other: Told) -> Told:
    """The registers of both; of each the one with the higher stamp."""
    if not other:
        return one
    newer = {name: register for name, register in other.items() if register[0] > one.get(name, (UNTOLD,))[0]}
    return {**one, **newer}


def value(told: Told, name: str) -> Any:
    """What the register holds, None when nobody told."""
    register = told.get(name)
    return None if register is None else register[1]


def is_behind(told: Told, when: Stamp) -> bool:
    """Whether an event with this stamp comes after one that overtook it."""
    return when < told.get("status", (UNTOLD,))[0]


_stored = msgspec.json.Decoder(dict[str, tuple[tuple[int, int, int, str], Any]])


def load(stored: str | None) -> Told:
    """Registers as a store keeps them; none where there is no row yet."""
    return _stored.decode(stored) if stored else {}


def dump(told: Told) -> str:
    """Registers for a store to keep, as JSON."""
    return msgspec.json.encode(told).decode()
