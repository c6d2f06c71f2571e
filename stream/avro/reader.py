"""Generates functions that read records of an Avro schema, with the results of fastavro and at twice its speed.

They build the record directly, without an intermediate dict. The source of such a function reads field after field:

    def read(data, at):
        size = data[at]
        if size & 0x81: size, at = length(data, at)
        else: size >>= 1; at += 1
        record_event_id = data[at:(at := at + size)].decode()
        ...
        return Record(event_id=record_event_id, ...), at

When the data end early, the function raises IndexError or returns an offset beyond their end, which the caller checks.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import cast

from stream import events
from stream.avro import schemas
from stream.avro.schemas import Schema
from stream.events import Record

Read = Callable[[bytes, int], tuple[Record, int]]
"""Reads a record from the data at an offset; returns the record and the offset after it."""
Scope = dict[str, object]

INDEX_OF_SOME = 2
"""The encoded index of the branch that is not null in our unions (`["null", …]`)."""
TIME_BYTES = 8
"""Encoded size of a time in microseconds, and of any other number from 2^48 to 2^55."""
LONG_BITS = 64


class Symbols(dict[int, str]):
    """The symbols of an enum by their encoded indexes, without the symbol `unknown`, which no record of ours has.

    Raises ValueError for any other index.
    """

    def __missing__(self, index: int) -> str:
        raise ValueError(f"it has an enum with no symbol at {index >> 1}")


@cache
def reader(name: str) -> Read:
    """Return the function that reads a record of the newest schema of `name`.

    The function raises an Exception of any class when the data are not such a record.
    """
    return compiled(schemas.declared(name))


def long(data: bytes, at: int) -> tuple[int, int]:
    """Return the int or long at this offset, and the offset after it. Raises ValueError when it exceeds 64 bits."""
    byte = data[at]
    if not byte & 0x80:
        return byte >> 1 ^ -(byte & 1), at + 1
    after = at + TIME_BYTES
    if after <= len(data) and not data[after - 1] & 0x80:
        a, b, c, d, e, f, g, h = data[at:after]
        if a & b & c & d & e & f & g & 0x80:
            high = (g & 0x7F) << 42 | h << 49
            zigzag = a & 0x7F | (b & 0x7F) << 7 | (c & 0x7F) << 14 | (d & 0x7F) << 21 | (e & 0x7F) << 28
            zigzag |= (f & 0x7F) << 35 | high
            return zigzag >> 1 ^ -(zigzag & 1), after
    return _any_long(data, at)


def _any_long(data: bytes, at: int) -> tuple[int, int]:
    zigzag = 0
    for shift in range(0, LONG_BITS, 7):
        byte = data[at]
        at += 1
        zigzag |= (byte & 0x7F) << shift
        if not (byte & 0x80 or zigzag >> LONG_BITS):
            return zigzag >> 1 ^ -(zigzag & 1), at
    raise ValueError("it has a number of more than 64 bits")


def length(data: bytes, at: int) -> tuple[int, int]:
    """Return the length of a string or bytes, and the offset after it. Raises ValueError when it is negative."""
    size, at = long(data, at)
    if size < 0:
        raise ValueError("it has a negative length")
    return size, at


def block(data: bytes, at: int) -> tuple[int, int]:
    """Return the number of items in a block of an array or map, and the offset after it.

    A negative count is followed by the block's size in bytes, which is skipped; the number returned is never negative.
    """
    count, at = long(data, at)
    return (count, at) if count >= 0 else (-count, long(data, at)[1])


def compiled(schema: Schema) -> Read:
    """Return the function that reads a record of `schema`, in which all references are resolved.

    Raises TypeError for an Avro type that our schemas do not use.
    """
    scope: Scope = {"length": length, "long": long, "block": block}
    lines = "\n    ".join(_lines(schema, "record", {}, scope))
    source = f"def read(data, at):\n    {lines}\n    return record, at"
    exec(compile(source, "<avro reader>", "exec"), scope)  # noqa: S102 - the committed schema is its only source
    return cast("Read", scope["read"])


def _lines(schema: object, to: str, named: dict[str, object], scope: Scope) -> Iterator[str]:
    """Yield the statements that set the variable `to` and advance `at`. Constants are added to `scope`."""
    match schema:
        case ["null", other]:
            yield "branch = data[at]; at += 1"
            yield f"if branch == {INDEX_OF_SOME}:"
            yield from _indented(_lines(other, to, named, scope))
            yield "elif branch: raise ValueError('it has a union without such a branch')"
            yield f"else: {to} = None"
        case {"type": "array", "items": items}:
            yield from _array_lines(items, to, named, scope)
        case {"type": "map", "values": values}:
            yield from _map_lines(values, to, named, scope)
        case {"type": "record", "name": str(name), "fields": list(fields)}:
            named[name], scope[name] = schema, getattr(events, name)
            for field in fields:
                yield from _lines(field["type"], f"{to}_{field['name']}", named, scope)
            arguments = (f"{field['name']}={to}_{field['name']}" for field in fields)
            yield f"{to} = {name}({', '.join(arguments)})"
        case {"type": "enum", "name": str(name), "symbols": list(symbols)}:
            named[name] = schema
            scope[name] = Symbols({index << 1: symbol for index, symbol in enumerate(symbols) if symbol != "unknown"})
            yield f"{to} = {name}[data[at]]; at += 1"
        case str() if schema in named:
            yield from _lines(named[schema], to, named, scope)
        case _:
            yield from _scalar_lines(schema, to)


def _scalar_lines(schema: object, to: str) -> Iterator[str]:
    match schema:
        case "string" | "bytes":
            yield "size = data[at]"
            yield "if size & 0x81: size, at = length(data, at)"  # it has more bytes, or is negative
            yield "else: size >>= 1; at += 1"
            yield f"{to} = data[at:(at := at + size)]{'.decode()' if schema == 'string' else ''}"
        case "long":
            yield f"{to}, at = long(data, at)"
        case "boolean":
            yield f"{to} = (False, True)[data[at]]; at += 1"
        case _:
            raise TypeError(f"no reader is generated for the Avro type {schema}")


def _array_lines(items: object, to: str, named: dict[str, object], scope: Scope) -> Iterator[str]:
    yield f"{to} = []"
    yield from _block_lines([*_lines(items, f"{to}_item", named, scope), f"{to}.append({to}_item)"])
    yield f"at += 1; {to} = tuple({to})"


def _map_lines(values: object, to: str, named: dict[str, object], scope: Scope) -> Iterator[str]:
    yield f"{to} = {{}}"
    entry = [*_scalar_lines("string", f"{to}_key"), *_lines(values, f"{to}_value", named, scope)]
    yield from _block_lines([*entry, f"{to}[{to}_key] = {to}_value"])
    yield "at += 1"


def _block_lines(item: Iterable[str]) -> Iterator[str]:
    """Yield the loops over the blocks of an array or map; they stop at the empty block at its end."""
    yield "while data[at]:"
    yield "    count, at = block(data, at)"
    yield "    for _ in range(count):"
    yield from _indented(_indented(item))


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"    {line}" for line in lines)
