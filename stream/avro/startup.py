"""A start-up need of services that write records: their schemas are known to the registry."""

from collections.abc import Iterable

from runtime.startup import Need, NeedUnmet, abort_start
from stream.avro.codec import Codec
from stream.avro.registry import UnknownSchema
from stream.avro.registry_client import CredentialsRefused
from stream.events import Record


def registry_answers(codec: Codec, kinds: Iterable[type[Record]]) -> Need:
    """Return the check that the schema registry, if one is configured, answers and knows the schemas of these records.

    The check raises NeedUnmet while the registry does not answer or lacks a schema, and ends the process when the
    registry refuses the credentials.
    """
    classes = tuple(kinds)

    def check() -> None:
        try:
            codec.prepare(classes)
        except CredentialsRefused as refused:
            abort_start(str(refused))
        except (OSError, UnknownSchema) as failure:
            raise NeedUnmet(str(failure)) from failure

    return check
