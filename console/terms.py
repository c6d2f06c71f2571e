"""The terms by which a body is found: hashes of its values, alone and with their path. Pure.

A value is found as a whole and by each of its words, in any case: `kim@example.test`, `order.amount=58000`. A term has
32 bits, so different values may have the same: a search compares the bodies that it finds (`matches`).
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from urllib.parse import parse_qsl
from zlib import crc32

import msgspec

from stream.events import QuarantinedWebhook, RejectedWebhook, Webhook, ids
from stream.events.record_keys import parcel_number

MAX_LEAVES = 200
MAX_WORDS = 8
"""The most values of a body, and the most words of a value, that are found."""
MAX_CHARS = 200
"""Longer values are not found."""
MAX_INDEXED_DEPTH = 20
MIN_PARCEL_DIGITS = 6
"""A value with this many digits is also found as a tracking number: without blanks and hyphens."""
_QUERY = re.compile(r"\$?\.?([\w.\[\]*-]+)\s*[=:]\s*(\S.*)")
_INDEX = re.compile(r"\[[\d*]*\]")
_WORD = re.compile(r"[^\s\"'<>{}\[\](),;]{2,}")


def of_body(body: bytes) -> list[int]:
    """Return the terms of a body, sorted, each once: of the values of JSON or a form, or of the words of other text."""
    return sorted({_hash(text) for text in _texts(body)})


def row(record: Webhook | QuarantinedWebhook | RejectedWebhook) -> dict[str, object]:
    """Return the row of a record in `search_terms`, with the terms of its body separated by newlines."""
    match record:
        case RejectedWebhook():
            subject, body = ids.refusal_id(record), record.excerpt
        case QuarantinedWebhook():
            subject, body = record.event_id, record.raw
        case _:
            subject, body = record.envelope.event_id, record.envelope.raw
    return {
        "subject": subject,
        "is_refusal": isinstance(record, RejectedWebhook),
        "terms": "\n".join(map(str, of_body(body))),
    }


def of_query(query: str) -> list[int]:
    """Return the terms of a query, which is a value or `path=value`. A body that matches has at least one of them."""
    return sorted({_hash(text) for text in _wanted(query)})


def matches(body: bytes, query: str) -> bool:
    """Return whether a body has the query as a value or word, or, for `path=value`, that value at that path.

    Only the first MAX_LEAVES values of the body count, and none that is longer than MAX_CHARS.
    """
    return not _wanted(query).isdisjoint(_texts(body))


def paths(body: bytes, text: str) -> set[str]:
    """Return the paths, in lower case, at which a body has this whole value.

    Only the first MAX_LEAVES values of the body are searched.
    """
    wanted = _normal(text)
    return {path.casefold() for path, value in islice(_leaves(body), MAX_LEAVES) if _normal(value) == wanted}


def _wanted(query: str) -> set[str]:
    text = _normal(query)
    wanted = {text, _parcel(text)}
    if found := _QUERY.fullmatch(query.strip()):
        wanted.add(f"{_INDEX.sub('', found[1]).strip('.').casefold()}={_normal(found[2].strip(chr(34)))}")
    return wanted


def _texts(body: bytes) -> Iterator[str]:
    for path, value in islice(_leaves(body), MAX_LEAVES):
        text = _normal(value)
        if not text or len(text) > MAX_CHARS:
            continue
        yield text
        if not text.isalnum():
            yield _parcel(text)
        if path:
            yield f"{path.casefold()}={text}"
        words = text.split()
        if len(words) > 1:
            yield from words[:MAX_WORDS]


def _leaves(body: bytes) -> Iterator[tuple[str, str]]:
    try:
        yield from _of_json(msgspec.json.decode(body), "", MAX_INDEXED_DEPTH)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        yield from _of_text(body.decode(errors="replace"))


def _of_json(value: object, path: str, depth: int) -> Iterator[tuple[str, str]]:
    match value:
        case None | bool():
            return
        case dict() if depth:
            for name, item in value.items():
                yield from _of_json(item, f"{path}.{name}" if path else str(name), depth - 1)
        case list() if depth:
            for item in value:
                yield from _of_json(item, path, depth - 1)
        case str() | int() | float():
            yield path, str(value)
        case _:
            return


def _of_text(text: str) -> Iterable[tuple[str, str]]:
    """Return the fields of a form, or the words of a text, such as a JSON document that was cut off."""
    pairs = parse_qsl(text) if "=" in text and not text.lstrip().startswith(("{", "[", "<")) else []
    return pairs or (("", word.strip(":.")) for word in _WORD.findall(text))


def _normal(text: str) -> str:
    return text.strip().casefold()


def _parcel(text: str) -> str:
    """Return a tracking number in lower case without blanks and hyphens; a text of too few digits unchanged."""
    digits = sum(map(str.isdigit, text))
    return parcel_number(text).casefold() if digits >= MIN_PARCEL_DIGITS else text


def _hash(text: str) -> int:
    """Return the CRC-32 as Postgres' int, which has a sign."""
    value = crc32(text.encode(errors="replace"))
    return value - (1 << 32) if value >= 1 << 31 else value
