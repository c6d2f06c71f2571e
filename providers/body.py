"""Reads a JSON body strictly: what two readers could understand differently is refused, never guessed."""

import json
import math
import re
from typing import Any, TypeVar

import msgspec

from providers.contract import Malformed, Unreadable

T = TypeVar("T")

MAX_DEPTH = 1000
MESSAGE_CHARS = 300
"""How much of a complaint its sender is told: it may quote the body."""

_KEY = re.compile(rb'"([^"\\]*)"\s*:')
_NUMBER = re.compile(r"-?\d{1,309}(\.\d{1,324})?([eE][+-]?\d{1,3})?")
_AS_ZEROS = bytes.maketrans(b"123456789E", b"000000000e")
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"')
_BRACKET = re.compile(rb"[\[\]{}]")


def read(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The body as `decoder` types it.

    Raises Malformed for what is not JSON; Unreadable for a missing or mistyped field, a NUL, a key given twice, or a
    number no reader can hold. That goes for fields we do not use as well: the whole body is kept, in Postgres too.
    """
    value = read_again(decoder, body)
    if len(body) > MAX_DEPTH:
        _check_depth(body)
    if b"\\" in body or _may_repeat_a_key(body) or _may_hold_a_giant(body):
        _read_slowly(body)
    return value


def read_again(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The body as another `decoder` types it, once `read` has been through it. Raises as `read` does."""
    if not body:
        raise Malformed("the body is empty")
    try:
        body.decode()  # the decoder does not look into the texts it skips
        value = decoder.decode(body)
    except msgspec.ValidationError as wrong:
        raise Unreadable(complaint(str(wrong))) from wrong
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise Malformed(f"the body is not valid JSON: {broken}") from broken
    return value


def _check_depth(body: bytes) -> None:
    """How deep a decoder goes depends on the Python it runs on; how deep Postgres goes, on its stack."""
    depth = 0
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    for bracket in _BRACKET.findall(_TEXT.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise Malformed(f"the body is nested deeper than {MAX_DEPTH} levels")


def complaint(said: str) -> str:
    """What the decoder says is wrong, for people: which field, and not the pattern it did not match."""
    _, _, field = said.rpartition(" - at ")
    return f"{field} is not written as it must be" if "matching regex" in said else said[:MESSAGE_CHARS]


def _may_repeat_a_key(body: bytes) -> bool:
    keys = _KEY.findall(body)
    return len(keys) != len(set(keys))


def _may_hold_a_giant(body: bytes) -> bool:
    shape = body.translate(_AS_ZEROS, b"+-")
    return b"0e000" in shape or b"0" * 309 in shape


def _read_slowly(body: bytes) -> None:
    hook = _without_repeats_or_nuls if b"\\u0000" in body else _without_repeats
    try:
        json.loads(body, object_pairs_hook=hook, parse_int=_number, parse_float=_number)
    except (UnicodeDecodeError, RecursionError, json.JSONDecodeError) as broken:
        raise Malformed("the body is not valid JSON") from broken


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Unreadable("a key is given twice in one object")
    return fields


def _without_repeats_or_nuls(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if any(_has_nul(part) for pair in pairs for part in pair):
        raise Unreadable("a text holds a NUL character")
    return _without_repeats(pairs)


def _has_nul(part: Any) -> bool:
    if isinstance(part, list):
        return any(map(_has_nul, part))
    return isinstance(part, str) and "\x00" in part


def _number(text: str) -> None:
    if not _NUMBER.fullmatch(text) or math.isinf(float(text)):
        raise Unreadable("a number is longer or larger than other readers can hold")
