"""Reads a body again, field by field, when it does not fit its type as a whole.

The rule for every provider and kind of webhook (docs/webhooks.md, *Fields*): a field without a default is required. An
optional field that is null or empty is absent. A text that is too long is cut. Any other optional field that cannot be
used is left out, unless it is marked `STRICT`: money, its currency and the ids it is booked under are never guessed.
"""

from functools import cache
from types import GenericAlias
from typing import Any, TypeAlias, TypeVar, cast, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo

from providers.parsing.fields import MAX_TEXT, STRICT, Id, Text, decode_hook
from providers.parsing.notes import note
from stream.events.text.json_text import NUL, REPLACEMENT

T = TypeVar("T")
Annotation: TypeAlias = Any
"""A type as in an annotation: a class, a union or an `Annotated`."""
Decoded: TypeAlias = Any
"""A value of the type that an annotation names."""
MAX_STRUCT_DEPTH = 32
"""Maximum nesting of structs; the deepest known body has five levels."""
PATH_CHARS = 32
"""Maximum characters of the path in the error about MAX_STRUCT_DEPTH."""

_parts = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])
_text = msgspec.json.Decoder(str)


def read(raw: bytes, kind: type[T], path: str = "$") -> T:
    """Decode the struct `kind` from valid JSON by this module's rule; note each optional field that is cut or left out.

    `path` is the path of `raw`. Raises msgspec.ValidationError, whose message ends with the path of the wrong field.
    """
    return _value(bytes(raw), kind, path)  # type: ignore[no-any-return]


def _value(raw: bytes, kind: Annotation, path: str) -> Decoded:
    struct, holds_many = _shape(kind)
    if struct is None:
        return _leaf(raw, kind, path)
    if raw == b"null" and type(None) in get_args(kind):
        return None
    if holds_many and raw.startswith(b"["):
        return get_origin(holds_many)(_elements(raw, struct, path))
    if holds_many or not raw.startswith(b"{"):
        return _leaf(raw, kind, path)  # its error names the expected type
    return _struct(raw, struct, path)


def _elements(raw: bytes, struct: Annotation, path: str) -> list[Decoded]:
    return [_struct(bytes(item), struct, f"{path}[{number}]") for number, item in enumerate(_items.decode(raw))]


def _struct(raw: bytes, struct: Annotation, path: str) -> Decoded:
    if not raw.startswith(b"{"):
        return _leaf(raw, struct, path)
    if path.count(".") > MAX_STRUCT_DEPTH:
        raise msgspec.ValidationError(f"Object nested deeper than {MAX_STRUCT_DEPTH} levels - at `{path[:PATH_CHARS]}`")
    parts = _parts.decode(raw)
    values = {}
    for field in _fields(struct):
        given = parts.get(field.encode_name)
        if given is not None and (field.required or not _is_empty(bytes(given), field.type)):
            keep, value = _field(bytes(given), field, f"{path}.{field.encode_name}")
            if keep:
                values[field.name] = value
        elif field.required and given is None:
            raise msgspec.ValidationError(f"Object missing required field `{field.encode_name}` - at `{path}`")
    return cast("type[Decoded]", get_origin(struct) or struct)(**values)


def _is_empty(raw: bytes, kind: Annotation) -> bool:
    """Return whether an optional field is empty. A null is not empty where the type has a null of its own."""
    return raw == b'""' or (raw == b"null" and type(None) not in _options(kind) and Any not in _options(kind))


def _field(raw: bytes, field: FieldInfo, path: str) -> tuple[bool, Decoded]:
    """Return whether the field has a usable value, and the value."""
    try:
        return True, _value(raw, field.type, path)
    except msgspec.ValidationError:
        if field.required or _is_strict(field.type):
            raise
    name = path.removeprefix("$.")
    if raw.startswith(b'"') and Text in _options(field.type):
        note(name, f"is longer than {MAX_TEXT} characters and is cut")
        return True, _text.decode(raw.replace(NUL, REPLACEMENT))[:MAX_TEXT]
    if raw.strip(b'" '):  # a blank value is absent, unless it is a text
        note(name, "cannot be used and is left out")
    return False, None


def _leaf(raw: bytes, kind: Annotation, path: str) -> Decoded:
    if raw.startswith(b'"') and NUL in raw and Id not in _options(kind) and msgspec.Raw not in _options(kind):
        raw = raw.replace(NUL, REPLACEMENT)
    try:
        return msgspec.json.decode(raw, type=kind, dec_hook=decode_hook)
    except msgspec.ValidationError as wrong:
        reason, _, _ = str(wrong).partition(" - at ")
        raise msgspec.ValidationError(f"{reason} - at `{path}`") from None


@cache
def _fields(struct: Annotation) -> tuple[FieldInfo, ...]:
    return msgspec.structs.fields(struct)


@cache
def _options(kind: Annotation) -> list[Annotation]:
    """Return the types that a value may have: the type itself and the members of a union, annotated or not."""
    options = [kind]
    for _ in range(2):
        options += [part for option in options for part in get_args(option)]
    return options


@cache
def _is_strict(kind: Annotation) -> bool:
    return STRICT in getattr(kind, "__metadata__", ())


@cache
def _shape(kind: Annotation) -> tuple[Any, Any]:
    """Return the struct in a field's type, and the list or tuple type around it; None where there is none."""
    for part in (kind, *get_args(kind)):
        bare = get_args(part)[0] if hasattr(part, "__metadata__") else part
        for option in (bare, *get_args(bare)):
            origin = get_origin(option) or option
            if isinstance(origin, type) and issubclass(origin, msgspec.Struct):
                return option, None
            if origin in (list, tuple) and isinstance(option, GenericAlias) and _shape(get_args(option)[0])[0]:
                return get_args(option)[0], option
    return None, None
