"""Records as JSON for people, with card numbers, secrets, addresses and telephone numbers masked."""

from collections.abc import Mapping

import msgspec

from stream.avro.codec import Codec, Undecodable
from stream.avro.registry import UnknownSchema
from stream.events import Record
from stream.events.text.redaction import masked_field, masked_id, masked_text, redacted

BODIES = ("raw", "excerpt")
"""The fields of records that hold a posted request body."""


def decode(codec: Codec, value: bytes | None) -> tuple[Record | None, str]:
    """Return the record of a Kafka value and ""; None and the reason when it cannot be decoded.

    This function, and those that use it, raise RegistryError when a remote schema registry fails.
    """
    try:
        return codec.decode(value), ""
    except (Undecodable, UnknownSchema) as broken:
        return None, masked_text(str(broken))


def content(codec: Codec, value: bytes | None) -> dict[str, object]:
    """Return the record of a Kafka value as {"record": its masked fields}.

    A value that cannot be decoded gives {"undecodable": the reason, "hex": its bytes, not masked}.
    """
    record, why = decode(codec, value)
    return {"undecodable": why, "hex": (value or b"").hex()} if record is None else {"record": masked(codec, record)}


def masked(codec: Codec, record: Record) -> dict[str, object]:
    """Return a record's fields as JSON values, masked; `codec` decodes the record that a dead letter encloses."""
    return _masked(codec, msgspec.to_builtins(record, builtin_types=(bytes,)))


def key_text(key: bytes | None) -> str | None:
    """Return a record's key as text, masked as an id, which leaves telephone numbers; None for None.

    Bytes that are not UTF-8 are shown as escapes.
    """
    return None if key is None else masked_id(key.decode(errors="backslashreplace"))


def _masked(codec: Codec, fields: Mapping[str, object]) -> dict[str, object]:
    return {name: _shown(codec, name, value) for name, value in fields.items()}


def _shown(codec: Codec, name: str, value: object) -> object:
    match value:
        case bytes() if name in BODIES:
            return redacted(value)
        case bytes() if name == "value":  # of a dead letter: the record that failed
            return content(codec, value)
        case bytes() if name == "key":
            return key_text(value)
        case bytes():
            return value.hex()
        case dict():
            return _masked(codec, value)
        case _:
            return masked_field(name, value)
