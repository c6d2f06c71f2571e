"""A webhook's body as a store keeps it in a column of JSON: whatever it was, what is written is JSON."""

import msgspec

from stream.events.json_text import sanitized

_json = msgspec.json.Decoder(msgspec.Raw)


def as_json(raw: bytes) -> str:
    """A JSON body as it is; any other, such as a form, as one JSON string.

    A text that is not UTF-8 is read as CP949, the old encoding of Korea, else as Latin-1, which reads everything.
    A NUL and half a surrogate pair, which Postgres keeps in no text, become U+FFFD.
    """
    try:
        body = sanitized(raw)
        text = body.decode()
        _json.decode(body)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        return msgspec.json.encode(_text(raw).replace("\x00", "\ufffd")).decode()
    return text


def _text(raw: bytes) -> str:
    for encoding in ("utf-8", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")
