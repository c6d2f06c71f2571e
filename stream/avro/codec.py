"""Encodes and decodes records: Avro in Confluent's wire format (a zero byte, the schema's id, the record).

Functions generated from the committed schemas encode and decode. Only records written with an older version of a schema
are decoded by fastavro, which resolves one schema into another. Neither detects every kind of damage, so bytes that are
left after a record make it undecodable.
"""

from collections.abc import Callable, Iterable
from functools import cache
from io import BytesIO

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
"""The record classes on topics, by the names of their schemas."""


class Undecodable(ValueError):
    """The bytes are not a record of one of our schemas."""


class Codec:
    """Encodes records with their newest schema; decodes records of any committed version."""

    def __init__(self, registry: Registry, reread: Callable[[Record], Record] = lambda record: record) -> None:
        """`reread` is applied to each decoded record and returns the record to use; it may raise Undecodable."""
        self._registry = registry
        self._reread = reread
        self._writers: dict[type[Record], tuple[Write, bytes]] = {}
        self._readers: dict[int, tuple[type[Record], Read]] = {}

    def prepare(self, kinds: Iterable[type[Record]]) -> None:
        """Look up the schemas of these record classes now, so that a later `encode` does not wait for the registry.

        Raises UnknownSchema for a class without a schema, and RegistryError when a remote registry fails or lacks one.
        """
        for kind in kinds:
            self._writer(kind)

    def encode(self, record: Record) -> bytes:
        """Return the record in the wire format.

        Raises ValueError when the schema does not allow a value; the message names the field. For a class that was not
        given to `prepare`, also raises what `prepare` raises.
        """
        kind = type(record)
        write, prefix = self._writers.get(kind) or self._writer(kind)
        try:
            return write(record, prefix)
        except Exception as failure:  # AttributeError, TypeError, OverflowError …, depending on the value
            raise ValueError(f"a {kind.__name__} cannot be written: {_type_error(record) or failure}") from failure

    def decode(self, data: bytes | None) -> Record:
        """Return the record in `data`.

        Raises Undecodable when `data` is None or no record of ours, UnknownSchema when the registry does not know its
        schema id, and RegistryError when a remote registry fails.
        """
        if data is None or len(data) < HEADER_BYTES or data[:1] != MAGIC:
            raise Undecodable("no Avro record in Confluent's wire format")
        schema_id = int.from_bytes(data[1:HEADER_BYTES], "big")
        kind, read = self._readers.get(schema_id) or self._reader(schema_id)
        try:
            record, end = read(data, HEADER_BYTES)
        except Exception as failure:  # a dozen classes, from EOFError to OverflowError
            raise Undecodable(f"not a {kind.__name__}: {failure}") from failure
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


def _type_error(record: Record) -> str | None:
    """Return the message that names the first field with a value of the wrong type; None when all types are right."""
    try:
        msgspec.convert(msgspec.to_builtins(record, builtin_types=(bytes,)), type(record))
    except msgspec.ValidationError as failure:
        return str(failure)
    return None


def _resolving(kind: type[Record], written: Schema, ours: Schema) -> Read:
    """Return the function that reads records written with another version of our schema."""
    import fastavro  # noqa: PLC0415 - it takes 8 MB and 60 ms, and services seldom need it

    writer, reader = fastavro.parse_schema(written), fastavro.parse_schema(ours)

    def read(data: bytes, at: int) -> tuple[Record, int]:
        body = BytesIO(data)
        body.seek(at)
        fields = fastavro.schemaless_reader(body, writer, reader)
        return msgspec.convert(fields, kind), body.tell()

    return read


def _committed(schema_id: int, found: object) -> Schema:
    """Return the committed schema equal in meaning to the schema `found` in a registry.

    Only committed schemas are parsed: a shared registry holds others too, and a hostile schema could be recursive.
    Raises Undecodable when no committed schema is equal.
    """
    try:
        return _by_meaning()[schemas.normal(found)]
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as foreign:
        raise Undecodable(f"the schema {schema_id} is of no record of ours") from foreign


@cache
def _by_meaning() -> dict[str, Schema]:
    entries = CommittedRegistry().entries
    return {schemas.normal(entry["schema"]): entry["schema"] for entry in entries if entry["subject"] in KINDS}
