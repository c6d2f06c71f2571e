"""Converts a webhook's body, of any format, to JSON for a column of type `json`."""

import msgspec

from stream.events.text.json_text import sanitized, without_nul

_json = msgspec.json.Decoder(msgspec.Raw)


def as_json(raw: bytes) -> str:
    """Return a JSON body as it is, and any other body, such as a form, as one JSON string.

    Bytes that are not UTF-8 are decoded as CP949, the legacy Korean encoding, else as Latin-1, which decodes any bytes.
    In both cases a NUL or an unpaired surrogate, which Postgres text cannot hold, becomes U+FFFD; a JSON body loses its
    byte order mark.
    """
    try:
        body = sanitized(raw)
        text = body.decode()
        _json.decode(body)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        return msgspec.json.encode(without_nul(_text(raw))).decode()
    return text


def as_metadata(raw: bytes) -> str:
    """Return the value of a column `metadata`: a JSON object with the webhook's body, as JSON, under `webhook`."""
    return '{"webhook":' + as_json(raw) + "}"


def _text(raw: bytes) -> str:
    for encoding in ("utf-8", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")
