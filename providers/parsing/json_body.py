"""Reads a JSON body strictly: it refuses a body that two readers could understand differently."""

import json
import math
import re
from collections.abc import Hashable
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

from providers.contract import InvalidField, Malformed
from providers.parsing import lenient
from providers.parsing.fields import decode_hook
from stream.events.text.json_text import NUL, sanitized

T = TypeVar("T")

MAX_BODY_DEPTH = 1000
"""Maximum nesting of objects and lists in a body, also in fields that are not read."""
MESSAGE_CHARS = 300
"""Maximum length of an error text that is sent to the sender, since it may quote the body."""

EMPTY = b'""'
ESCAPED_COLON = b"\\u003"
"""The start of every escaped colon. In a body that holds one, counting colons does not count keys."""
_any = msgspec.json.Decoder(msgspec.Raw)
_objects = msgspec.json.Decoder()
_encode = msgspec.json.Encoder().encode
_NUMBER = re.compile(r"-?\d{1,309}(\.\d{1,324})?([eE][+-]?\d{1,3})?")
_DIGITS_TO_ZEROS = bytes.maketrans(b"123456789E", b"000000000e")
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"')
_BRACKET = re.compile(rb"[\[\]{}]")


def read(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decode a body; if it does not fit the decoder's type as a whole, `lenient` reads it field by field.

    Raises Malformed for a body that is empty, not JSON, or nested deeper than MAX_BODY_DEPTH. Raises InvalidField for a
    field that is missing or wrong and required or `STRICT`, for a key given twice, and for a number that other readers
    cannot hold. The last two also apply to fields that we do not use, because the whole body is stored, in Postgres
    too. A byte order mark is ignored. Half a surrogate pair or a NUL makes an id wrong, and becomes U+FFFD in a text.
    """
    value, body = _decoded(decoder.type, body)
    if len(body) > MAX_BODY_DEPTH:
        _check_depth(body)
    if _may_repeat_key(body) or _may_hold_huge_number(body):
        _read_slowly(body)
    return _leniently(decoder.type, body) if value is None else value


def read_again(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decode a body, or a part of one, that `read` has checked for repeated keys, huge numbers and depth.

    Raises as `read` does for all else.
    """
    value, body = _decoded(decoder.type, body)
    return _leniently(decoder.type, body) if value is None else value


def _decoded(kind: type[T], body: bytes) -> tuple[T | None, bytes]:
    """Return the body as `kind`, or None if only `lenient` can read it; and the body repaired to valid JSON."""
    body = sanitized(body, NUL)  # an id must not hold a NUL, a text gets U+FFFD instead
    if not body:
        raise Malformed("the body is empty")
    value: T | None = None
    try:
        body.decode()  # the decoder does not look into the texts it skips
        with suppress(msgspec.ValidationError):
            value = _decoder(cast("Hashable", kind)).decode(body)
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
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:  # `cache` takes only what is hashable
    return msgspec.json.Decoder(kind, dec_hook=decode_hook)


def _check_depth(body: bytes) -> None:
    """Raise Malformed above MAX_BODY_DEPTH.

    Without this check, the limit would depend on the Python version for decoders, and on the stack for Postgres.
    """
    depth = 0
    if body.count(b"[") + body.count(b"{") <= MAX_BODY_DEPTH:
        return
    for bracket in _BRACKET.findall(_TEXT.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_BODY_DEPTH:
            raise Malformed(f"the body is nested deeper than {MAX_BODY_DEPTH} levels")


def error_text(message: str) -> str:
    """Return a decoder's message as the sender gets it: with the field's name, without a regex, and not too long."""
    _, _, field = message.rpartition(" - at ")
    return f"{field} has the wrong format" if "matching regex" in message else message[:MESSAGE_CHARS]


def _may_repeat_key(body: bytes) -> bool:
    """Return False only if no object has a key twice.

    Each key has a colon, and decoding keeps one of two equal keys: if the body encoded again has as many colons, no
    key was lost. A regex over all keys took 668 µs of 50 KB, and raised false alarms for arrays of objects.
    """
    if ESCAPED_COLON in body:
        return True
    try:
        encoded = _encode(_objects.decode(body))
    except (msgspec.DecodeError, RecursionError):  # a number beyond floats, or an object nested very deep
        return True
    return body.count(b":") != encoded.count(b":")


def _may_hold_huge_number(body: bytes) -> bool:
    """Return False only if no number has an exponent of three digits, or 309 digits.

    Hexadecimal ids often look like the former. Where no quote is escaped, every second part between quotes is a text:
    without these texts the body is searched again. Removing them with `_TEXT` took longer than `_read_slowly`.
    """
    if not _has_huge_shape(body):
        return False
    return b"\\" in body or _has_huge_shape(EMPTY.join(body.split(b'"')[::2]))


def _has_huge_shape(body: bytes) -> bool:
    shape = body.translate(_DIGITS_TO_ZEROS, b"+-")
    return b"0e000" in shape or b"0" * 309 in shape


def _read_slowly(body: bytes) -> None:
    try:
        json.loads(body, object_pairs_hook=_unique_keys, parse_int=_number, parse_float=_number)
    except (UnicodeDecodeError, RecursionError, json.JSONDecodeError) as broken:
        raise Malformed("the body is not valid JSON") from broken


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidField("a key is given twice in one object")
    return fields


def _number(text: str) -> None:
    if not _NUMBER.fullmatch(text) or math.isinf(float(text)):
        raise InvalidField("a number is longer or larger than other readers can hold")
