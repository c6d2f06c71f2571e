"""Records to bytes and back: Avro in Confluent's wire format (a zero byte, the schema's id, the record).

Functions generated from our schemas do the work. fastavro reads what an older version of a schema has written: it
resolves one schema into another. Both read on past some kinds of damage, so a decoded record counts only if it used up
every byte.
"""

from collections.abc import Callable, Iterable
from functools import cache
from io import BytesIO
from typing import Any

import msgspec

from stream.avro import reader as avro_reader
from stream.avro import schemas
from stream.avro import writer as avro_writer
from stream.avro.reader import Read
from stream.avro.registry import CommittedRegistry, Registry
from stream.avro.schemas import Schema
from stream.avro.writer import Write
from stream.events import Record, topics

MAGIC = b"\x00"
HEADER_BYTES = 5
KINDS: dict[str, type[Record]] = {kind.__name__: kind for kind in topics.RECORDS}
"""What topics carry, by the names of their schemas."""


class Undecodable(ValueError):
    """These bytes are no record of ours."""


class Codec:
    """Encodes with the newest schema of each record; decodes whatever an id in the registry has written."""

    def __init__(self, registry: Registry, reread: Callable[[Record], Record] = lambda record: record) -> None:
        """`reread` makes of a decoded record the one that is meant; it may raise Undecodable."""
        self._registry = registry
        self._reread = reread
        self._writers: dict[type[Record], tuple[Write, bytes]] = {}
        self._readers: dict[int, tuple[type[Record], Read]] = {}

    def prepare(self, kinds: Iterable[type[Record]]) -> None:
        """Look up the schemas of these records now, so that none is asked for while somebody waits."""
        for kind in kinds:
            self._writer(kind)

    def encode(self, record: Record) -> bytes:
        """Return the record as Kafka carries it.

        Raises ValueError for one with a value that its schema does not allow.
        """
        kind = type(record)
        write, prefix = self._writers.get(kind) or self._writer(kind)
        try:
            return write(record, prefix)
        except Exception as wrong:  # AttributeError, TypeError, OverflowError … by what the value is
            raise ValueError(f"a {kind.__name__} cannot be written: {_misfit(record) or wrong}") from wrong

    def decode(self, data: bytes | None) -> Record:
        """The record these bytes hold.

        Raises Undecodable when they hold none, UnknownSchema when their schema's id is not known.
        """
        if data is None or len(data) < HEADER_BYTES or data[:1] != MAGIC:
            raise Undecodable("no Avro record in Confluent's wire format")
        schema_id = int.from_bytes(data[1:HEADER_BYTES], "big")
        kind, read = self._readers.get(schema_id) or self._reader(schema_id)
        try:
            record, end = read(data, HEADER_BYTES)
        except Exception as broken:  # a dozen kinds, from EOFError to OverflowError
            raise Undecodable(f"not a {kind.__name__}: {broken}") from broken
        if end != len(data):
            raise Undecodable(f"{len(data) - end} bytes are left after a {kind.__name__}")
        return self._reread(record)

    def _writer(self, kind: type[Record]) -> tuple[Write, bytes]:
        prefix = MAGIC + self._registry.id_of(kind.__name__).to_bytes(4, "big")
        self._writers[kind] = avro_writer.writer(kind.__name__), prefix
        return self._writers[kind]

    def _reader(self, schema_id: int) -> tuple[type[Record], Read]:
        written = _committed(schema_id, self._registry.schema_of(schema_id))
        kind = KINDS[written["name"]]
        ours = schemas.declared(kind.__name__)
        is_ours = schemas.canonical(ours) == schemas.canonical(written)
        read = avro_reader.reader(kind.__name__) if is_ours else _resolving(kind, written, ours)
        self._readers[schema_id] = kind, read
        return kind, read


def _misfit(record: Record) -> str | None:
    """Return which field of a record has a value of another type, and what it has."""
    try:
        msgspec.convert(msgspec.to_builtins(record, builtin_types=(bytes,)), type(record))
    except msgspec.ValidationError as misfit:
        return str(misfit)
    return None


def _resolving(kind: type[Record], written: Schema, ours: Schema) -> Read:
    """Return the function that reads what another version of our schema has written."""
    import fastavro  # noqa: PLC0415 - 8 MB and 60 ms that a service seldom needs

    writer, reader = fastavro.parse_schema(written), fastavro.parse_schema(ours)

    def read(data: bytes, at: int) -> tuple[Record, int]:
        body = BytesIO(data)
        body.seek(at)
        fields = fastavro.schemaless_reader(body, writer, reader)
        return msgspec.convert(fields, kind), body.tell()

    return read


def _committed(schema_id: int, found: Any) -> Schema:
    """The committed schema that means the same as the one a registry has.

    No other is ever parsed: a registry that others use too has more, and a hostile schema could be recursive. Raises
    Undecodable when there is none.
    """
    try:
        return _by_meaning()[schemas.normal(found)]
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as foreign:
        raise Undecodable(f"the schema {schema_id} is of no record of ours") from foreign


@cache
def _by_meaning() -> dict[str, Schema]:
    entries = CommittedRegistry().entries
    return {schemas.normal(entry["schema"]): entry["schema"] for entry in entries if entry["subject"] in KINDS}
