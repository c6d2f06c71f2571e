"""Reads the quarantine from its two topics, and finds quarantined webhooks by id."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli import environment, local_time
from local.messages import CommandError
from stream.events import Micros

if TYPE_CHECKING:
    from confluent_kafka import Message

    from stream.avro.codec import Codec
    from stream.events import QuarantinedWebhook, Record
    from stream.kafka.position import Position

MINUTE_US = 60_000_000
UNREADABLE = "unreadable_record"
"""The cause of an entry for a record of the quarantine's topics that cannot be decoded or has another type."""


@dataclass
class QuarantineEntry:
    """A quarantined webhook, the position of its newest copy, and the number of its copies on that topic.

    `released` is True when the gateway has released the webhook since that copy.
    """

    webhook: "QuarantinedWebhook"
    position: "Position"
    copies: int
    released: bool = False


def read(since: str | None) -> list[QuarantineEntry]:
    """Return one entry for each body in each of the two quarantine topics.

    `since` is the text of --since: only webhooks received then or later are read; None reads all. A record that is not
    a quarantined webhook has an entry with the cause UNREADABLE. Raises CommandError when Kafka or the schema registry
    does not answer, or `since` is neither a date nor an instant.
    """
    from stream.avro.codec import Codec
    from stream.events import Outcome, QuarantinedWebhook, topics
    from stream.kafka.position import Position
    from stream.kafka.topic_reader import KafkaUnavailable, read_all

    env = environment.read()
    environment.require(env, "KAFKA_BOOTSTRAP_SERVERS")
    codec = Codec(environment.registry(env))
    begin = _begin(since)
    # Kafka's timestamps and the gateway's received_at come from different clocks: start a minute earlier.
    earliest = None if begin is None else (begin - MINUTE_US) // 1000
    entries: dict[tuple[str, str], QuarantineEntry] = {}
    try:
        for message in read_all(environment.cluster(env), (topics.QUARANTINE, topics.UNVERIFIED), earliest):
            position = Position(message.topic() or "", message.partition() or 0, message.offset() or 0)
            match _decoded(codec, message, position):
                case QuarantinedWebhook() as webhook if begin is None or webhook.received_at >= begin:
                    key = (position.topic, webhook.event_id)
                    copies = 1 + (entries[key].copies if key in entries else 0)
                    entries[key] = QuarantineEntry(webhook, position, copies)
                case Outcome(event_id=event_id) if (position.topic, event_id) in entries:
                    entries[position.topic, event_id].released = True
                case _:
                    continue
    except KafkaUnavailable as failure:
        raise CommandError(str(failure)) from failure
    return list(entries.values())


def find(names: Iterable[str], entries: Iterable[QuarantineEntry]) -> list[QuarantineEntry]:
    """Return the entries with these event ids or providers' ids. A body that is in both topics is two entries.

    When a provider's id names several bodies and some are not released, the released ones are left out. Raises
    CommandError when a name has no entry, or still entries of several bodies.
    """
    from cli.clients.console import ambiguous_message
    from stream.events import provider_ids

    by_name: dict[str, list[QuarantineEntry]] = {}
    for entry in entries:
        for name in {entry.webhook.event_id, *provider_ids.of(entry.webhook)}:
            by_name.setdefault(name, []).append(entry)
    if missing := [name for name in dict.fromkeys(names) if name not in by_name]:
        raise CommandError(f"No quarantined webhook has the id {', '.join(missing)}.")
    found = {name: _prefer_unreleased(by_name[name]) for name in dict.fromkeys(names)}
    for name, candidates in found.items():
        if len({entry.webhook.event_id for entry in candidates}) > 1:
            raise CommandError(ambiguous_message(name, candidates, _line))
    return list({entry.position: entry for candidates in found.values() for entry in candidates}.values())


def _decoded(codec: "Codec", message: "Message", position: "Position") -> "Record":
    """Decode one record of the quarantine; a record that cannot be decoded is listed as unreadable."""
    from stream.avro.codec import Undecodable
    from stream.avro.registry import UnknownSchema
    from stream.events import Outcome, QuarantinedWebhook, ids

    try:
        record = codec.decode(message.value())
    except (Undecodable, UnknownSchema) as broken:
        record, detail = None, str(broken)
    else:
        detail = f"a {type(record).__name__} is not a quarantined webhook"
    if isinstance(record, QuarantinedWebhook | Outcome):
        return record
    return QuarantinedWebhook(
        event_id=ids.unreadable_record_id(*position),
        provider="unknown",
        mode="live",
        cause=UNREADABLE,
        detail=detail,
        verification="unsigned_allowed",
        received_at=Micros(message.timestamp()[1] * 1000),
        path="",
        headers={},
        raw=message.value() or b"",
    )


def _begin(since: str | None) -> int | None:
    """Return the value of --since in microseconds since 1970 UTC; None for None.

    Raises CommandError when it is neither a date nor an instant with its offset.
    """
    from runtime.management.routes import RequestRefused
    from stream.dead_letters import filters

    try:
        at = filters.parse({"since": since}).since
    except RequestRefused as wrong:
        raise CommandError(f"--{wrong}.") from wrong
    return None if at is None else round(at.timestamp() * 1_000_000)


def _prefer_unreleased(candidates: list[QuarantineEntry]) -> list[QuarantineEntry]:
    """Drop released entries when there are several events and some of them are not released."""
    unreleased = [entry for entry in candidates if not entry.released]
    several = len({entry.webhook.event_id for entry in candidates}) > 1
    return unreleased if unreleased and several else candidates


def _line(entry: QuarantineEntry) -> str:
    webhook = entry.webhook
    received = local_time.of_micros(webhook.received_at)
    return f"  {webhook.event_id}  {received}  {webhook.provider}  {webhook.cause}: {webhook.detail}"
