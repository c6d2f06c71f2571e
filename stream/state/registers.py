"""Registers: values whose final state does not depend on the order in which events arrive.

A register holds a value and the stamp of the event that set it; the higher stamp wins. A stamp is (rank, time, index
in its tier, event id): a status of higher rank wins; at equal rank the later time by the provider's clock, then the
status later in its tier, then the greater event id, so that two workers never disagree.

An aggregate declares its registers as the fields of a subclass of `Registers`, so a misspelt field is a type error.
They are msgspec structs, which are built, merged and read from JSON faster than dictionaries (ADR 25).
"""

from collections.abc import Hashable, Mapping, Sequence
from functools import cache
from typing import Final, Generic, NamedTuple, Never, TypeVar

import msgspec

from stream.events import EventId, Micros

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R", bound="Registers")


NO_TIME = Micros(0)
"""The time in the stamp of an event that states none."""
NO_EVENT = EventId("")
"""The event id in the stamp of a register that no event sets, or whose value alone decides."""


class Stamp(NamedTuple):
    """Orders the events that set registers: of two stamps, the one that is greater as a tuple wins.

    `rank` is the index of the status's tier in the transition table, `at` the time in microseconds since 1970 UTC (0 if
    unknown), `tier_index` the index of the status in its tier.
    """

    rank: int
    at: Micros
    tier_index: int
    event_id: EventId


class Register(msgspec.Struct, Generic[T_co], frozen=True, gc=False, array_like=True):
    """A value and the stamp of the event that set it. The value is None only in UNSET."""

    stamp: Stamp
    value: T_co | None


UNSET: Final[Register[Never]] = Register(Stamp(-1, NO_TIME, 0, NO_EVENT), None)
"""The register that no event has set."""


class Registers(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The base class of an aggregate's registers. Every field is a `Register` whose default is UNSET.

    In JSON, registers are an object of [stamp, value] by field name, without those that are UNSET.
    """


def stamp(tiers: Sequence[Sequence[str]], status: str, at: Micros | None, event_id: EventId) -> Stamp:
    """Return the stamp of an event with `status` at the time `at`, None if the event states none.

    `tiers` is the transition table: a status may follow any status of an earlier tier. Raises ValueError for a status
    that is not in the table.
    """
    for rank, tier in enumerate(tiers):
        if status in tier:
            return Stamp(rank, at or NO_TIME, tier.index(status), event_id)
    raise ValueError(f"the transition table has no status {status}")


def register(stamp: Stamp, value: T | None) -> Register[T]:
    """Return the register that an event sets; UNSET, which changes nothing when merged, if `value` is None."""
    return UNSET if value is None else Register(stamp, value)


def merge(left: R, right: R) -> R:
    """Return, for each field, the register with the higher stamp; that of `left` if the stamps are equal.

    Returns `left` itself if no register of `right` is newer.
    """
    known = msgspec.structs.astuple(left)
    pairs = zip(known, msgspec.structs.astuple(right), strict=True)
    merged = tuple([ours if theirs is UNSET or theirs.stamp <= ours.stamp else theirs for ours, theirs in pairs])
    return left if merged == known else type(left)(*merged)


def merge_by_key(left: Mapping[K, Register[T]], right: Mapping[K, Register[T]]) -> Mapping[K, Register[T]]:
    """Return the registers of both mappings; of two with the same key, the one with the higher stamp.

    It is `merge` for registers whose names are data, such as ids of refunds. That of `left` wins if stamps are equal.
    """
    newer = {key: theirs for key, theirs in right.items() if theirs.stamp > left.get(key, UNSET).stamp}
    return {**left, **newer} if newer else left


def load(kind: type[R], stored: str | None) -> R:
    """Return the registers in a column's JSON; all of them UNSET if `stored` is None, as when there is no row yet."""
    return _decoder(kind).decode(stored) if stored else kind()


def load_prefixed(stored: str, prefix: str, kind: type[T]) -> dict[str, Register[T]]:
    """Return the registers in a column's JSON whose names start with `prefix`, by the rest of the name.

    `kind` is the type of their values.
    """
    named = {name.removeprefix(prefix): found for name, found in _raw.decode(stored).items() if name.startswith(prefix)}
    return {name: msgspec.json.decode(found, type=Register[kind]) for name, found in named.items()}  # type: ignore[valid-type]


def dump(*parts: Registers | Mapping[str, Register[object]]) -> str:
    """Return the registers of all parts as one JSON object for a column; no name may be in two parts."""
    objects = [_encode(part).decode() for part in parts]
    return objects[0] if len(objects) == 1 else "{" + ",".join(filter(None, (text[1:-1] for text in objects))) + "}"


_encode = msgspec.json.Encoder().encode
_raw = msgspec.json.Decoder(dict[str, msgspec.Raw])


@cache
def _decoder(kind: type[R]) -> msgspec.json.Decoder[R]:
    return msgspec.json.Decoder(kind)
