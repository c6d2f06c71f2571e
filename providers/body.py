"""Reads a JSON body strictly: what two readers could understand differently is refused, never guessed."""

import json
import re
from typing import Any, TypeVar

import msgspec

from providers.contract import Malformed, Unreadable

T = TypeVar("T")

_KEY = re.compile(rb'"([^"\\]*)"\s*:')


def read(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The body as `decoder` types it.

    Raises Malformed for what is not JSON, Unreadable for a missing or mistyped field, a NUL or a key given twice.
    """
    if not body:
        raise Malformed("the body is empty")
    try:
        value = decoder.decode(body)
    except msgspec.ValidationError as wrong:
        raise Unreadable(str(wrong)) from wrong
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise Malformed(f"the body is not valid JSON: {broken}") from broken
    if b"\\" in body or _may_repeat_a_key(body):
        _read_slowly(body)
    return value


def _may_repeat_a_key(body: bytes) -> bool:
    keys = _KEY.findall(body)
    return len(keys) != len(set(keys))


def _read_slowly(body: bytes) -> None:
    try:
        json.loads(body, object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)
    except (UnicodeDecodeError, RecursionError, json.JSONDecodeError) as broken:
        raise Malformed("the body is not valid JSON") from broken


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Unreadable("a key is given twice in one object")
    if any(_has_nul(part) for pair in pairs for part in pair):
        raise Unreadable("a text holds a NUL character")
    return fields


def _has_nul(part: Any) -> bool:
    if isinstance(part, list):
        return any(map(_has_nul, part))
    return isinstance(part, str) and "\x00" in part


def _refuse_constant(name: str) -> None:
    raise Malformed(f"{name} is no JSON")
