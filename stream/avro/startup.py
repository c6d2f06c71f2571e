"""Start-up needs of a service that writes records: the schemas it encodes with."""

from collections.abc import Iterable

from runtime.startup import Need, NotYet, refuse
from stream.avro.codec import Codec
from stream.avro.registry import UnknownSchema
from stream.avro.registry_client import CredentialsRefused
from stream.events import Record


def registry_answers(codec: Codec, kinds: Iterable[type[Record]]) -> Need:
    """A need: the schema registry, if there is one, knows the schemas of these records."""
    wanted = tuple(kinds)

    def ask() -> None:
        try:
            codec.prepare(wanted)
        except CredentialsRefused as refused:
            refuse(str(refused))
        except (OSError, UnknownSchema) as away:
            raise NotYet(str(away)) from away

    return ask
