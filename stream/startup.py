"""Start-up needs of a service that writes records: the schemas it encodes with."""

from collections.abc import Iterable

from runtime.startup import Need, NotYet, refuse
from stream.codec import Codec
from stream.events import Record
from stream.registry import UnknownSchema
from stream.registry_client import Refused


def registry_answers(codec: Codec, kinds: Iterable[type[Record]]) -> Need:
    """A need: the schema registry, if there is one, knows the schemas of these records."""
    wanted = tuple(kinds)

    def ask() -> None:
        try:
            codec.prepare(wanted)
        except Refused as refused:
            refuse(str(refused))
        except (OSError, UnknownSchema) as away:
            raise NotYet(str(away)) from away

    return ask
