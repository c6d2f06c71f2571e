"""A webhook's body as JSON, for a store to show: bodies that are forms or other texts become a text in it."""

import msgspec


def as_json(raw: bytes) -> str:
    """The body itself where it is JSON in UTF-8, else a JSON text of it: of UTF-8, Korean cp949 or latin-1."""
    try:
        msgspec.json.decode(raw, type=msgspec.Raw)
        return raw.decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return msgspec.json.encode(_text(raw).replace("\x00", "\ufffd")).decode()


def _text(raw: bytes) -> str:
    for charset in ("utf-8", "cp949"):
        try:
            return raw.decode(charset)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")
