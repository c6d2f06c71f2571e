"""Records to bytes and back: Avro in Confluent's wire format (a zero byte, the schema's id, the record).

fastavro reads on past many kinds of damage, so a decoded record counts only if it used up every byte.
"""

from collections.abc import Callable, Iterable
from functools import cache
from io import BytesIO
from typing import Any

import fastavro
import msgspec

from stream import schemas, topics
from stream.events import Record
from stream.registry import CommittedRegistry, Registry
from stream.schemas import Schema

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
        self._writers: dict[type[Record], tuple[bytes, Any]] = {}
        self._readers: dict[int, tuple[type[Record], Any, Any]] = {}

    def prepare(self, kinds: Iterable[type[Record]]) -> None:
        """Look up the schemas of these records now, so that none is asked for while somebody waits."""
        for kind in kinds:
            self._writer(kind)

    def encode(self, record: Record) -> bytes:
        """The record as Kafka carries it."""
        kind = type(record)
        prefix, schema = self._writers.get(kind) or self._writer(kind)
        out = BytesIO()
        out.write(prefix)
        fastavro.schemaless_writer(out, schema, msgspec.to_builtins(record, builtin_types=(bytes,)))
        return out.getvalue()

    def decode(self, data: bytes | None) -> Record:
        """The record these bytes hold.

        Raises Undecodable when they hold none, UnknownSchema when their schema's id is not known.
        """
        if data is None or len(data) < HEADER_BYTES or data[:1] != MAGIC:
            raise Undecodable("no Avro record in Confluent's wire format")
        schema_id = int.from_bytes(data[1:HEADER_BYTES], "big")
        kind, writer, reader = self._readers.get(schema_id) or self._reader(schema_id)
        body = BytesIO(data)
        body.seek(HEADER_BYTES)
        try:
            fields = fastavro.schemaless_reader(body, writer, reader)
            record: Record = msgspec.convert(fields, kind)
        except Exception as broken:  # fastavro raises a dozen kinds, from EOFError to OverflowError
            raise Undecodable(f"not a {kind.__name__}: {broken}") from broken
        if body.tell() != len(data):
            raise Undecodable(f"{len(data) - body.tell()} bytes are left after a {kind.__name__}")
        return self._reread(record)

    def _writer(self, kind: type[Record]) -> tuple[bytes, Any]:
        schema = fastavro.parse_schema(schemas.declared(kind.__name__))
        prefix = MAGIC + self._registry.id_of(kind.__name__).to_bytes(4, "big")
        self._writers[kind] = prefix, schema
        return prefix, schema

    def _reader(self, schema_id: int) -> tuple[type[Record], Any, Any]:
        written = _committed(schema_id, self._registry.schema_of(schema_id))
        kind, parsed = KINDS[written["name"]], fastavro.parse_schema(written)
        ours = schemas.declared(kind.__name__)
        same = schemas.canonical(ours) == schemas.canonical(written)
        # Resolving into our schema costs half as much again, and is needed only for another version.
        reader = None if same else fastavro.parse_schema(ours)
        self._readers[schema_id] = kind, parsed, reader
        return self._readers[schema_id]


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
