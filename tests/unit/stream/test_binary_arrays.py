"""Columns are packed as psycopg packs them, in the format of Postgres' arrays."""

import struct
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.adapt import PyFormat, Transformer

from runtime.clock import EPOCH, to_datetime
from stream.store.statements import binary_arrays
from tests.builders import NOON

BEFORE_2000 = 900_000_000_000_000


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", ["", "card", "가상계좌", "a\nb", "😀"]),
        ("text", ["card", None]),
        ("bytea", [b"", b"\x00\xff", None]),
        ("boolean", [True, False, None]),
        ("float8", [0.5, -1e300, None]),
        ("bigint", [2**62, -(2**62), None]),
        ("bigint", [2**62]),
        ("int", [2**31 - 1, -(2**31), None]),
    ],
)
def test_values_are_packed_as_by_psycopg(kind: str, values: list[Any]) -> None:
    assert packed(kind, values) == by_psycopg(values)


def test_a_time_in_microseconds_is_packed_as_a_datetime_by_psycopg() -> None:
    times = [NOON, NOON + 1, BEFORE_2000, 0, None]

    assert packed("timestamptz", times) == by_psycopg([to_datetime(at) for at in times])


def test_a_time_that_python_could_not_read_again_is_refused() -> None:
    last = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)

    assert packed("timestamptz", [last]) == by_psycopg([to_datetime(last)])
    with pytest.raises(OverflowError):
        packed("timestamptz", [last + 1])


def test_no_values_are_an_empty_array() -> None:
    assert packed("text", []) == by_psycopg_of_texts([])


def test_only_nulls_are_packed_as_texts_are() -> None:
    assert packed("text", [None, None])[12:] == packed("bigint", [None, None])[12:]


@pytest.mark.parametrize(("kind", "value"), [("text", 7), ("bigint", "7"), ("int", 2**31), ("timestamptz", "now")])
def test_a_value_of_another_type_is_refused(kind: str, value: object) -> None:
    with pytest.raises((AttributeError, TypeError, struct.error)):
        packed(kind, [value])


def test_a_column_that_the_statement_does_not_have_is_refused() -> None:
    with pytest.raises(KeyError):
        binary_arrays.bound("SELECT %(keys)b::text[]", {"names": ["a"]})


def packed(kind: str, values: list[Any]) -> bytes:
    return binary_arrays.bound(f"SELECT unnest(%(values)b::{kind}[])", {"values": values})["values"]


def by_psycopg(values: list[Any]) -> bytes:
    dumper = Transformer().get_dumper(values, PyFormat.BINARY)
    return bytes(dumper.dump(values) or b"")


def by_psycopg_of_texts(values: list[str]) -> bytes:
    dumper = Transformer().get_dumper(["a"], PyFormat.BINARY)
    return bytes(dumper.dump(values) or b"")
