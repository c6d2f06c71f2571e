"""Collects what the log, Kafka and the notifier have about one order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cli import environment
from cli.clients import console, management
from local.messages import CommandError
from runtime.config.secrets import separate
from runtime.config.settings import value_of
from runtime.json_value import JsonValue
from stream.avro.codec import Codec
from stream.dead_letters import record_view
from stream.events import Record
from stream.kafka import topic_reader
from stream.kafka.topic_reader import Position

MAX_REFUSALS = 200


@dataclass(frozen=True, slots=True)
class Collected:
    """The data collected about one order.

    `life` is the order as the console's API returns it, `records` those of its webhooks, domain events and mails that
    can be read, `refusals` the refused requests that name it, `mails` the notifier's fields by mail id. `notes` are
    sentences about everything that could not be read.
    """

    order: str
    life: Mapping[str, JsonValue]
    records: Mapping[Position, Record]
    refusals: Sequence[Mapping[str, JsonValue]]
    mails: Mapping[str, Mapping[str, JsonValue]]
    notes: list[str] = field(default_factory=list)


def collect(env: Mapping[str, str], order: str) -> Collected:
    """Read everything about an order. Records and mails that cannot be read are noted and left out.

    Raises CommandError when the log has no such order, or the console or Kafka does not answer.
    """
    life = console.fetch("orders", order)
    refusals = console.fetch("refusals", order=order, limit=str(MAX_REFUSALS))
    if life is None:
        raise CommandError(f"The log has no order {order}.")
    notes = [f"only the newest {MAX_REFUSALS} refused requests are included"] if refusals["next"] else []
    found = [*life["webhooks"], *life["domain_events"], *life["mails"]]
    positions = [Position(**item["record"]) for item in found if item["record"]]
    records = _records(env, positions, notes)
    return Collected(order, life, records, refusals["refusals"], _mails(life, order, notes), notes)


def secrets_of(env: Mapping[str, str], setting: str) -> tuple[bytes, ...]:
    """Return the secrets that the setting has where this command runs; none if it is not set.

    Raises OSError when the file with the secrets cannot be read.
    """
    return tuple(secret.encode() for secret in separate(value_of(env, setting) or ""))


def _records(env: Mapping[str, str], positions: Sequence[Position], notes: list[str]) -> dict[Position, Record]:
    codec, records = Codec(environment.registry(env)), dict[Position, Record]()
    try:
        for position, value in topic_reader.read_at(environment.cluster(env), positions):
            record, why = record_view.decode(codec, value)
            if record is None:
                reason = why if value else "it has expired"
                notes.append(f"{position.topic}/{position.partition}/{position.offset} is not included: {reason}")
            else:
                records[position] = record
    except topic_reader.KafkaUnavailable as away:
        raise CommandError(str(away)) from away
    return records


def _mails(life: Mapping[str, JsonValue], order: str, notes: list[str]) -> dict[str, Mapping[str, JsonValue]]:
    """Return the mails of an order as the notifier has them, sent and unsent, by id."""
    try:
        unsent = management.get("notifier", "/mails", order=order, limit=1000)["mails"]
        ids = dict.fromkeys([*(mail["notificationId"] for mail in life["mails"]), *(mail["id"] for mail in unsent)])
        return {mail: management.get("notifier", "/mail", id=mail) for mail in ids}
    except CommandError as error:
        notes.append(f"the state of the mails is not included: {error}")
        return {}
