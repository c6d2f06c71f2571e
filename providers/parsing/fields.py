"""The types that webhook fields share: ids, texts, addresses, instants."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec

from providers.contract import InvalidField

T = TypeVar("T")

MAX_ID = 128
MAX_TEXT = 1000
ABSENT = msgspec.Raw()
"""A field of raw JSON that the body leaves out."""
STRICT = msgspec.Meta(extra={"decides": True})
StrictOptional = Annotated[T | None, STRICT]
"""An optional field that says which money moves, or whose it is: one that is present and wrong refuses the webhook."""

# Control characters and line breaks, in all of Unicode; surrogates; and what a reader cannot see: blanks without a
# width, marks that change the direction of text, byte order marks, tags. Joiners stay: some scripts need them.
_HIDDEN = (
    "\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff"
)
HIDDEN = re.compile(f"[{_HIDDEN}]")
"""A character that no id may hold."""
_ID = re.compile(rf"(?=.*\S)[^{_HIDDEN}]{{1,{MAX_ID}}}")

if TYPE_CHECKING:
    Id = str
else:

    class _Texts(type):
        def __instancecheck__(cls, value: Any) -> bool:
            return type(value) is str

    class Id(metaclass=_Texts):
        """A name of something in another system: an integer of any size, or 1 to 128 printable characters.

        `decode_hook` makes a `str` of it, so that `123` and `"123"` are the same. Blanks inside, and at the ends, are
        part of the name. `123.0`, `1e3`, booleans and lists are no ids.
        """


OrderId = Id
Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
Locale = Annotated[str, msgspec.Meta(max_length=255, pattern=r"\A\s*[A-Za-z*][A-Za-z0-9_@.,;=* \t-]*\Z")]
"""A language tag such as `ko-KR`, a POSIX locale such as `ko_KR.UTF-8`, or a whole Accept-Language header."""
Link = Annotated[str, msgspec.Meta(max_length=1000, pattern=r"\A(https?://|/)[^\s\"<>]*\Z")]
Instant = msgspec.Raw
"""An instant as it stands in the JSON; `instants` reads it. Its default is NOT_SAID."""

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def decode_hook(kind: type, value: Any) -> Any:
    """Decode the types that msgspec does not know. Raises ValueError, of which msgspec makes a ValidationError."""
    if kind is not Id:
        raise NotImplementedError(kind)
    text = str(value) if type(value) is int else value
    if type(text) is not str or not _ID.fullmatch(text):
        raise ValueError(f"Expected an id: an integer, or 1 to {MAX_ID} printable characters")
    return text


def is_id(text: str) -> bool:
    """Return whether a text can be an id."""
    return _ID.fullmatch(text) is not None


def micros(instant: datetime | None, field: str) -> int | None:
    """An instant in microseconds since 1970 UTC.

    Raises Unreadable when it is so far off that it must be a mistake.
    """
    if instant is None:
        return None
    if not EARLIEST <= instant < LATEST:
        raise InvalidField(f"{field} is outside the years 2000 to 2099")
    return (instant - EPOCH) // timedelta(microseconds=1)


def quoted(name: str) -> str:
    """A name as it may stand in a URL, as one part of its path or one value of its query (RFC 3986 §2.3)."""
    return "".join(c if c in _UNRESERVED else "".join(f"%{byte:02X}" for byte in c.encode()) for c in name)
