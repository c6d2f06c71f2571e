"""The auditor's evidence: records, rows, mails, and the webhooks that senders were told are accepted. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from processors.payment.domain import OrdersPolicy
from stream.events import OrderId
from stream.kafka.delivery import Delivery, UnreadableRecord
from stream.kafka.position import Position

Row = Mapping[str, Any]
"""A row of a table by column, without its key."""


class Accepted(msgspec.Struct, frozen=True):
    """A webhook that was answered 2xx: its path, and the hex SHA-256 of its body.

    `paid` is the amount paid for `order_id` in minor units; None if the list of webhooks does not state it.
    """

    path: str
    digest: str
    order_id: OrderId | None = None
    paid: int | None = None


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A record with its position, and the time when Kafka received it, in milliseconds since 1970 UTC."""

    delivery: Delivery
    appended_at: int

    @property
    def position(self) -> Position:
        return Position(self.delivery.topic, self.delivery.partition, self.delivery.offset)

    @property
    def event_id(self) -> str:
        return self.delivery.event_id

    @property
    def is_readable(self) -> bool:
        return not isinstance(self.delivery.event, UnreadableRecord)


@dataclass(frozen=True, slots=True)
class Store:
    """The content of one service's store at one moment.

    `handled` is the inbox: event id → position of the event's first record, and outcome. `outbox` is the number of
    unpublished messages. `failed` holds the rows of `retries` by event id, `tables` the other rows by table and key.
    """

    handled: Mapping[str, tuple[Position, str]] = field(default_factory=dict)
    outbox: int = 0
    failed: Mapping[str, Row] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, Row]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Period:
    """The audited period of Kafka's record times: milliseconds since 1970, `since` included, `until` excluded."""

    since: int = 0
    until: int | None = None

    def contains(self, at: int) -> bool:
        """Return whether a record that Kafka received at this time is in the period."""
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class AuditEvidence:
    """All evidence, in the order in which it is collected: the consequences of each part are visible in the next.

    `committed` holds the next offsets of each service's group: records below them were handled. `entries` are the
    records of all topics. `mails` counts arrived mails by notification id; it is None without an inbox. `accepted` is
    None if no list of accepted webhooks was given. `operator` is True if the operator's address is configured; `orders`
    is the payment processor's setting ORDERS.
    """

    committed: Mapping[str, Mapping[tuple[str, int], int]]
    stores: Mapping[str, Store]
    entries: tuple[LogRecord, ...]
    mails: Counter[str] | None
    accepted: tuple[Accepted, ...] | None = None
    period: Period = Period()
    operator: bool = True
    orders: OrdersPolicy = "optional"


@dataclass(frozen=True, slots=True)
class Claim:
    """The result of one check: the number of `checked` items, and a sentence for each finding.

    `wrong` has the violations, `unfinished` the items that may still come right, `noted` what operators should know
    although it is no violation. As a text, a claim is one line with its name and counts, and says "not checked" if it
    checked nothing.
    """

    name: str
    checked: int
    wrong: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()

    def __str__(self) -> str:
        verdict = f"{len(self.wrong)} WRONG" if self.wrong else "ok" if self.checked else "not checked"
        counted = [f"{len(self.unfinished)} unfinished"] * bool(self.unfinished)
        counted += [f"{len(self.noted)} noted"] * bool(self.noted)
        return f"{self.name:<10} {verdict:<11} {', '.join([f'{self.checked} checked', *counted])}"
