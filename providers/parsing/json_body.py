"""Reads a JSON body strictly: what two readers could understand differently is refused, never guessed."""

import json
import math
import re
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

from providers.contract import InvalidField, Malformed
from providers.parsing import lenient
from providers.parsing.fields import decode_hook
from stream.events.json_text import NUL, sanitized

T = TypeVar("T")

MAX_DEPTH = 1000
MESSAGE_CHARS = 300
"""How much of a complaint its sender is told: it may quote the body."""

EMPTY = b'""'
ESCAPED_COLON = b"\\u003"
"""The start of every escape of a colon. In a body that holds one, the number of colons does not count its keys."""
_any = msgspec.json.Decoder(msgspec.Raw)
_objects = msgspec.json.Decoder()
_encode = msgspec.json.Encoder().encode
_NUMBER = re.compile(r"-?\d{1,309}(\.\d{1,324})?([eE][+-]?\d{1,3})?")
_AS_ZEROS = bytes.maketrans(b"123456789E", b"000000000e")
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"')
_BRACKET = re.compile(rb"[\[\]{}]")


def read(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The body as `decoder.type` says, and as `lenient` reads it where an optional field cannot be used.

    Raises Malformed for what is not JSON; Unreadable for a required field that is missing or wrong, for a key given
    twice, or for a number no reader can hold. The last two go for fields we do not use as well: the whole body is
    kept, in Postgres too. A byte order mark, half a surrogate pair and a NUL cost nothing but the field they are in.
    """
    value, body = _decoded(decoder.type, body)
    if len(body) > MAX_DEPTH:
        _check_depth(body)
    if _may_repeat_a_key(body) or _may_hold_a_giant(body):
        _read_slowly(body)
    return _leniently(decoder.type, body) if value is None else value


def read_again(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The body as another `decoder` types it, once `read` has been through it. Raises as `read` does."""
    value, body = _decoded(decoder.type, body)
    return _leniently(decoder.type, body) if value is None else value


def _decoded(kind: type[T], body: bytes) -> tuple[T | None, bytes]:
    """The body as `kind`, or None where only `lenient` may read it; and the body without what JSON does not allow."""
    body = sanitized(body, NUL)  # which no id may hold, and of which a text makes U+FFFD
    if not body:
        raise Malformed("the body is empty")
    value: T | None = None
    try:
        body.decode()  # the decoder does not look into the texts it skips
        with suppress(msgspec.ValidationError):
            value = _decoder(cast("Any", kind)).decode(body)
        if value is None:  # the decoder has stopped at the first field that does not fit
            _any.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise Malformed(f"the body is not valid JSON: {broken}") from broken
    return (None if NUL in body or EMPTY in body else value), body


def _leniently(kind: type[T], body: bytes) -> T:
    try:
        return lenient.read(body.strip(), kind)
    except msgspec.ValidationError as wrong:
        raise InvalidField(error_text(str(wrong))) from wrong
    except RecursionError as deep:
        raise Malformed("the body is nested too deep") from deep


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind, dec_hook=decode_hook)


def _check_depth(body: bytes) -> None:
    """How deep a decoder goes depends on the Python it runs on; how deep Postgres goes, on its stack."""
    depth = 0
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    for bracket in _BRACKET.findall(_TEXT.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise Malformed(f"the body is nested deeper than {MAX_DEPTH} levels")


def error_text(said: str) -> str:
    """What the decoder says is wrong, for people: which field, and not the pattern it did not match."""
    _, _, field = said.rpartition(" - at ")
    return f"{field} is not written as it must be" if "matching regex" in said else said[:MESSAGE_CHARS]


def _may_repeat_a_key(body: bytes) -> bool:
    """Return False only if no object has a key twice.

    Each key has a colon, and decoding keeps one of two equal keys: if the body encoded again has as many colons, no
    key was lost. A regex over all keys took 668 µs of 50 KB, and raised false alarms for arrays of objects.
    """
    if ESCAPED_COLON in body:
        return True
    try:
        again = _encode(_objects.decode(body))
    except (msgspec.DecodeError, RecursionError):  # a number beyond floats, or an object nested very deep
        return True
    return body.count(b":") != again.count(b":")


def _may_hold_a_giant(body: bytes) -> bool:
    shape = body.translate(_AS_ZEROS, b"+-")
    return b"0e000" in shape or b"0" * 309 in shape


def _read_slowly(body: bytes) -> None:
    try:
        json.loads(body, object_pairs_hook=_without_repeats, parse_int=_number, parse_float=_number)
    except (UnicodeDecodeError, RecursionError, json.JSONDecodeError) as broken:
        raise Malformed("the body is not valid JSON") from broken


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidField("a key is given twice in one object")
    return fields


def _number(text: str) -> None:
    if not _NUMBER.fullmatch(text) or math.isinf(float(text)):
        raise InvalidField("a number is longer or larger than other readers can hold")
