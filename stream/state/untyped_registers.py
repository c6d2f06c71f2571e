"""Registers: values whose final state does not depend on the order in which events arrive.

A register holds a value and the stamp of the event that set it; the higher stamp wins. A stamp is (rank, time,
position, event id): a status of higher rank wins; at equal rank the later time by the provider's clock, then the status
later in its tier, then the greater event id, so that two workers never disagree.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

Stamp = tuple[int, int, int, str]
"""The status's rank, microseconds since 1970 UTC (0 if unknown), the status's position in its tier, the event's id."""
Registers = Mapping[str, tuple[Stamp, Any]]
"""Registers by field name: the stamp and the value of each."""

UNSET: Stamp = (-1, 0, 0, "")


def stamp(tiers: Sequence[Sequence[str]], status: str, at: int | None, event_id: str) -> Stamp:
    """Return the stamp of an event with `status` at `at` (microseconds since 1970 UTC).

    `tiers` is the transition table: a status may follow any status of an earlier tier. Raises ValueError for a status
    that is not in the table.
    """
    for rank, tier in enumerate(tiers):
        if status in tier:
            return rank, at or 0, tier.index(status), event_id
    raise ValueError(f"the transition table has no status {status}")


def of(stamp: Stamp, fields: Mapping[str, Any]) -> Registers:
    """Return the registers that an event with these `fields` sets; a field that is None sets none."""
    return {name: (stamp, value) for name, value in fields.items() if value is not None}


def update(registers: Registers, stamp: Stamp, fields: Mapping[str, Any]) -> Registers:
    """Return the registers after an event with these `fields`; a field that is None changes nothing."""
    return merge(registers, of(stamp, fields))


def merge(one: Registers, other: Registers) -> Registers:
    """Return the registers of both; of two registers of one name, the one with the higher stamp."""
    if not (one and other):
        return one or other
    newer = {name: register for name, register in other.items() if register[0] > one.get(name, (UNSET,))[0]}
    return {**one, **newer} if newer else one


def value(registers: Registers, name: str) -> Any:
    """Return the register's value; None when it was never set."""
    register = registers.get(name)
    return None if register is None else register[1]


def is_behind(registers: Registers, stamp: Stamp) -> bool:
    """Return whether an event with this stamp is late: the `status` register has a higher stamp already."""
    return stamp < registers.get("status", (UNSET,))[0]


_stored = msgspec.json.Decoder(dict[str, tuple[tuple[int, int, int, str], Any]])


def load(stored: str | None) -> Registers:
    """Return the registers in a column's JSON; none for None, when there is no row yet."""
    return _stored.decode(stored) if stored else {}


def dump(registers: Registers) -> str:
    """Return registers as JSON for a column."""
    return msgspec.json.encode(registers).decode()
