"""The sources of evidence as the command line reaches them: the console's API, Kafka, and the notifier."""

from collections.abc import Iterator, Mapping, Sequence

from cli import environment
from cli.clients import console, management
from evidence.collection import NotifierAway, Sources
from local.messages import CommandError
from runtime.config.secrets import separate
from runtime.config.settings import value_of
from runtime.json_value import JsonValue
from stream.avro.codec import Codec
from stream.kafka import topic_reader
from stream.kafka.position import Position


def sources(env: Mapping[str, str]) -> Sources:
    """Return the sources that these variables name.

    A source that does not answer raises CommandError, the notifier NotifierAway. Raises CommandError when a setting of
    Kafka or of the schema registry is wrong.
    """
    cluster = environment.cluster(env)

    def records(positions: Sequence[Position]) -> Iterator[tuple[Position, bytes | None]]:
        try:
            yield from topic_reader.read_at(cluster, positions)
        except topic_reader.KafkaUnavailable as away:
            raise CommandError(str(away)) from away

    return Sources(
        life=lambda order: console.fetch("orders", order),
        refusals=lambda order, most: console.fetch("refusals", order=order, limit=str(most)),
        records=records,
        notifier=_notifier,
        codec=Codec(environment.registry(env)),
    )


def secrets_of(env: Mapping[str, str], setting: str) -> tuple[bytes, ...]:
    """Return the secrets that the setting has where this command runs; none if it is not set.

    Raises UnreadableSetting when the file with the secrets cannot be read.
    """
    return tuple(secret.encode() for secret in separate(value_of(env, setting) or ""))


def _notifier(path: str, query: Mapping[str, str]) -> JsonValue:
    try:
        return management.get("notifier", path, **query)
    except CommandError as error:
        raise NotifierAway(str(error)) from error
