"""Collects what the log, Kafka and the notifier have about one order."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from runtime.json_value import JsonValue
from stream.avro.codec import Codec
from stream.dead_letters import record_view
from stream.events import Record
from stream.kafka.position import Position

MAX_REFUSALS = 200
Fields = Mapping[str, JsonValue]


class UnknownOrder(LookupError):
    """The log has nothing of an order; the text is its id."""


class NotifierAway(Exception):
    """The notifier did not answer; the text says why."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The functions that read the data of an order from the log, Kafka and the notifier.

    `life` returns the order as the console's API does, None for an unknown one; `refusals` a page of the refused
    requests that name it, at most so many; `records` each position with its record's value, None if it has expired;
    `notifier` the notifier's JSON at a path with a query, or raises NotifierAway.
    """

    life: Callable[[str], Fields | None]
    refusals: Callable[[str, int], Fields]
    records: Callable[[Sequence[Position]], Iterable[tuple[Position, bytes | None]]]
    notifier: Callable[[str, Mapping[str, str]], JsonValue]
    codec: Codec


@dataclass(frozen=True, slots=True)
class Collected:
    """The data collected about one order.

    `life` is the order as the console's API returns it, `records` those of its webhooks, domain events and mails that
    can be read, `refusals` the refused requests that name it, `mails` the notifier's fields by mail id. `notes` are
    sentences about everything that could not be read.
    """

    order: str
    life: Fields
    records: Mapping[Position, Record]
    refusals: Sequence[Fields]
    mails: Mapping[str, Fields]
    notes: list[str] = field(default_factory=list)


def collect(sources: Sources, order: str) -> Collected:
    """Read everything about an order. Records and mails that cannot be read are noted and left out.

    Raises UnknownOrder, and what the sources raise.
    """
    life = sources.life(order)
    if life is None:
        raise UnknownOrder(order)
    refusals = sources.refusals(order, MAX_REFUSALS)
    notes = [f"only the newest {MAX_REFUSALS} refused requests are included"] if refusals["next"] else []
    found = [*life["webhooks"], *life["domain_events"], *life["mails"]]
    positions = [Position(**item["record"]) for item in found if item["record"]]
    records = _records(sources, positions, notes)
    return Collected(order, life, records, refusals["refusals"], _mails(sources, life, order, notes), notes)


def _records(sources: Sources, positions: Sequence[Position], notes: list[str]) -> dict[Position, Record]:
    records = dict[Position, Record]()
    for position, value in sources.records(positions):
        record, why = record_view.decode(sources.codec, value)
        if record is None:
            reason = why if value else "it has expired"
            notes.append(f"{position.topic}/{position.partition}/{position.offset} is not included: {reason}")
        else:
            records[position] = record
    return records


def _mails(sources: Sources, life: Fields, order: str, notes: list[str]) -> dict[str, Fields]:
    """Return the mails of an order as the notifier has them, sent and unsent, by id."""
    try:
        unsent = sources.notifier("/mails", {"order": order, "limit": "1000"})["mails"]
        ids = dict.fromkeys([*(mail["notificationId"] for mail in life["mails"]), *(mail["id"] for mail in unsent)])
        return {mail: sources.notifier("/mail", {"id": mail}) for mail in ids}
    except NotifierAway as away:
        notes.append(f"the state of the mails is not included: {away}")
        return {}
