"""The types that webhook fields share: ids, texts, addresses, instants."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec

T = TypeVar("T")

MAX_ID = 128
"""Maximum characters of an id; a longer one is wrong."""
MAX_TEXT = 1000
"""Maximum characters of a text; `lenient` cuts a longer one."""
ABSENT = msgspec.Raw()
"""The default of a raw JSON field: the body has no such field."""
STRICT = msgspec.Meta(extra={"strict": True})
"""Marks an optional field whose wrong value refuses the webhook, instead of being left out (`lenient`)."""
StrictOptional = Annotated[T | None, STRICT]
"""An optional field marked STRICT, because it decides about money or to whom money belongs."""

# Control characters and line breaks, in all of Unicode; surrogates; and invisible characters: zero-width spaces, marks
# that change the direction of text, byte order marks, tags. Joiners are allowed, since some scripts need them.
_HIDDEN = (
    "\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff"
)
HIDDEN = re.compile(f"[{_HIDDEN}]")
"""Matches a character that an id must not hold."""
_ID = re.compile(rf"(?=.*\S)[^{_HIDDEN}]{{1,{MAX_ID}}}")

if TYPE_CHECKING:
    from stream.events import record

    Id = str
    OrderId = record.OrderId
    AnyJson = object
else:
    AnyJson = Any  # msgspec takes `object` for a class of its own

    class _Texts(type):
        def __instancecheck__(cls, value: object) -> bool:
            return type(value) is str

    class Id(metaclass=_Texts):
        """An id in another system: an integer of any size, or 1 to 128 printable characters.

        `decode_hook` makes it a `str`, so that `123` and `"123"` are equal. Blanks, also leading and trailing ones, are
        part of the id. `123.0`, `1e3`, booleans and lists are not ids.
        """

    OrderId = Id

Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
Locale = Annotated[str, msgspec.Meta(max_length=255, pattern=r"\A\s*[A-Za-z*][A-Za-z0-9_@.,;=* \t-]*\Z")]
"""A language tag such as `ko-KR`, a POSIX locale such as `ko_KR.UTF-8`, or a whole Accept-Language header."""
Link = Annotated[str, msgspec.Meta(max_length=1000, pattern=r"\A(https?://|/)[^\s\"<>]*\Z")]
Instant = msgspec.Raw
"""An instant as raw JSON, to be read by `timestamps`. Its default is ABSENT."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
"""Instants of webhooks are from EARLIEST on and before LATEST."""


def present(ids: Iterable[str | None]) -> tuple[str, ...]:
    """Return the ids that are neither None nor empty, in their order."""
    return tuple(item for item in ids if item)


def decode_hook(kind: type, value: object) -> object:
    """Return an id as `str`, for msgspec; `kind` is Id. Raises ValueError, which msgspec makes a ValidationError."""
    if kind is not Id:
        raise NotImplementedError(kind)
    text = str(value) if type(value) is int else value
    if type(text) is not str or not _ID.fullmatch(text):
        raise ValueError(f"Expected an id: an integer, or 1 to {MAX_ID} printable characters")
    return text
