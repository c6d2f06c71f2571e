"""What the auditor goes by: records, rows, mails, and what senders were told is safe. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from stream.kafka.delivery import Delivery, UnreadableRecord

Place = tuple[str, int, int]
"""Topic, partition, offset."""

Row = Mapping[str, Any]


class Accepted(msgspec.Struct, frozen=True):
    """A webhook that was answered 2xx: the hex SHA-256 of its body, and where it went.

    `paid` is what it says was paid for `order_id`, in minor units, where its sender knows.
    """

    path: str
    digest: str
    order_id: str | None = None
    paid: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A record with the time Kafka took it, in milliseconds since 1970."""

    delivery: Delivery
    appended_at: int

    @property
    def place(self) -> Place:
        return self.delivery.topic, self.delivery.partition, self.delivery.offset

    @property
    def event_id(self) -> str:
        return self.delivery.event_id

    @property
    def is_readable(self) -> bool:
        return not isinstance(self.delivery.event, UnreadableRecord)


@dataclass(frozen=True, slots=True)
class Store:
    """One service's store as it was at one moment.

    `handled` says of each event where the record stood that told it first, and what became of it. `tables` are the
    rows by the name of their table and their key.
    """

    handled: Mapping[str, tuple[Place, str]] = field(default_factory=dict)
    outbox: int = 0
    parked: Mapping[str, Row] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, Row]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Period:
    """The records that are audited, by when Kafka took them: milliseconds since 1970, `since` included, `until` not."""

    since: int = 0
    until: int | None = None

    def holds(self, at: int) -> bool:
        """Return whether a record that Kafka took at this time is in the period."""
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of it, each part taken after the one before it, so that what follows from it is there when it is looked at.

    `committed` are the next offsets of each service's group: what stands before them was handled. `accepted` is None
    when nobody kept a list. `mails` counts by notification id; None when there is no inbox to look into.
    """

    committed: Mapping[str, Mapping[tuple[str, int], int]]
    stores: Mapping[str, Store]
    entries: tuple[Entry, ...]
    mails: Counter[str] | None
    accepted: tuple[Accepted, ...] | None = None
    period: Period = Period()
    operator: bool = True


@dataclass(frozen=True, slots=True)
class Claim:
    """One promise: how much was looked at, what breaks it, and what cannot be told yet because it is under way.

    `noted` is what people should know and nobody broke. A claim that checked nothing proves nothing, and says so.
    """

    name: str
    checked: int
    wrong: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()

    def __str__(self) -> str:
        verdict = f"{len(self.wrong)} WRONG" if self.wrong else "ok" if self.checked else "not checked"
        counted = [f"{len(self.unfinished)} under way"] * bool(self.unfinished)
        counted += [f"{len(self.noted)} to know of"] * bool(self.noted)
        return f"{self.name:<10} {verdict:<11} {', '.join([f'{self.checked} checked', *counted])}"
