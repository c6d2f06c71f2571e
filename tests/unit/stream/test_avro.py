"""The generated functions write and read what fastavro does, for every schema in schemas/avro."""

import types
import typing
from collections.abc import Callable
from io import BytesIO
from typing import Any

import fastavro
import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given, settings

from stream import events
from stream.avro import reader as avro_reader
from stream.avro import schemas
from stream.avro import writer as avro_writer
from stream.events import PaymentPayload, Record, RejectedWebhook
from tests.builders import a_payment

NAMES = [
    path.stem for path in schemas.FOLDER.glob("*.avsc") if hasattr(getattr(events, path.stem), "__struct_fields__")
]
LONGS = st.integers(-(2**63), 2**63 - 1) | st.integers(-(2**56), 2**56) | st.integers(-200, 200)
TEXTS = st.text() | st.text("aé한🙂", min_size=60, max_size=70)
WRITTEN = avro_writer.writer("PaymentWebhook")(a_payment(method="card"), b"")


def values(hint: Any) -> st.SearchStrategy[Any]:
    """All values of a type that our records use."""
    if isinstance(hint, type) and issubclass(hint, Record):
        return st.builds(hint, **{name: values(each) for name, each in typing.get_type_hints(hint).items()})
    arguments = typing.get_args(hint)
    match typing.get_origin(hint) or hint:
        case typing.Literal:
            return st.sampled_from(arguments)
        case types.UnionType | typing.Union:
            return st.one_of(*map(values, arguments))
        case builtin if builtin is tuple:
            return st.lists(values(arguments[0]), max_size=3).map(tuple)
        case builtin if builtin is dict:
            return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=3)
    hint = getattr(hint, "__supertype__", hint)  # of a NewType
    simple = {str: TEXTS, int: LONGS, bool: st.booleans(), bytes: st.binary(), type(None): st.none()}
    return simple[hint]


def by_fastavro(name: str) -> tuple[Callable[[Record], bytes], Callable[[bytes], Record]]:
    schema = fastavro.parse_schema(schemas.declared(name))

    def write(record: Record) -> bytes:
        out = BytesIO()
        fastavro.schemaless_writer(out, schema, msgspec.to_builtins(record, builtin_types=(bytes,)))
        return out.getvalue()

    def read(data: bytes) -> Record:
        kind: type[Record] = getattr(events, name)
        return msgspec.convert(fastavro.schemaless_reader(BytesIO(data), schema, None), kind)

    return write, read


@pytest.mark.parametrize("name", NAMES)
def test_each_record_is_written_and_read_as_by_fastavro(name: str) -> None:
    write, read = by_fastavro(name)

    @settings(max_examples=30, deadline=None)
    @given(values(getattr(events, name)))
    def check(record: Record) -> None:
        written = avro_writer.writer(name)(record, b"prefix")

        assert written == b"prefix" + write(record)
        assert avro_reader.reader(name)(written, 6) == (record, len(written))
        assert read(written[6:]) == record

    check()


@settings(deadline=None)
@given(st.integers(0, len(WRITTEN)), st.integers(0, 4), st.binary(max_size=4))
def test_damaged_bytes_are_refused_or_read_as_by_fastavro(at: int, lost: int, junk: bytes) -> None:
    damaged = WRITTEN[:at] + junk + WRITTEN[at + lost :]
    try:
        record, end = avro_reader.reader("PaymentWebhook")(damaged, 0)
    except (IndexError, ValueError):
        return
    if end <= len(damaged):
        assert record == by_fastavro("PaymentWebhook")[1](damaged)


def test_blocks_of_other_writers_are_read() -> None:
    """Avro allows several blocks, and a negative count with the size of the block in bytes."""
    plain = PaymentPayload(order_id=None, status="completed", aliases=("a", "b", "c"))
    one_block = b"\x06\x02a\x02b\x02c\x00"
    written = avro_writer.writer("PaymentPayload")(plain, b"")
    assert one_block in written

    blocks = written.replace(one_block, b"\x02\x02a\x03\x08\x02b\x02c\x00")

    assert avro_reader.reader("PaymentPayload")(blocks, 0) == (plain, len(blocks))
    assert by_fastavro("PaymentPayload")[1](blocks) == plain


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_a_number_of_more_than_64_bits_is_not_written(number: int) -> None:
    with pytest.raises(OverflowError):
        avro_writer.long(number)


@pytest.mark.parametrize("data", [b"\xff" * 9 + b"\x02", b"\xff" * 12 + b"\x01", b"\x80" * 1000 + b"\x00"])
def test_a_number_of_more_than_64_bits_is_not_read(data: bytes) -> None:
    with pytest.raises(ValueError, match="64 bits"):
        avro_reader.long(data, 0)


def test_a_negative_length_is_not_read() -> None:
    with pytest.raises(ValueError, match="negative length"):
        avro_reader.reader("PaymentWebhook")(b"\x01" + WRITTEN, 0)


@pytest.mark.parametrize(
    "field", [{"path": "\ud800"}, {"path": None}, {"path": b""}, {"digest": ""}, {"headers": {"a": 1}}]
)
def test_a_value_of_another_type_is_not_written(field: dict[str, Any]) -> None:
    fields = {"provider": "", "path": "", "cause": "", "headers": {}, "digest": b"", "excerpt": b"", "received_at": 0}

    with pytest.raises((TypeError, AttributeError, UnicodeEncodeError)):
        avro_writer.writer("RejectedWebhook")(RejectedWebhook(**{**fields, **field}), b"")


@pytest.mark.parametrize(
    "schema", ["float", {"type": "fixed", "name": "F", "size": 4}, ["string", "null"], ["null", "long", "string"]]
)
def test_an_avro_type_that_our_schemas_do_not_use_is_named(schema: Any) -> None:
    declared = {"type": "record", "name": "Outcome", "fields": [{"name": "at", "type": schema}]}

    with pytest.raises(TypeError, match="is generated for the Avro type"):
        avro_writer.compiled(declared)
    with pytest.raises(TypeError, match="is generated for the Avro type"):
        avro_reader.compiled(declared)
