"""The Avro files and the record classes agree, and records of every version can be read."""

import functools
import json
import operator
import types
import typing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stream import events
from stream.avro.codec import Codec
from stream.avro.registry import CommittedRegistry
from stream.avro.schemas import FOLDER
from stream.events import Record, topics

GOLDEN = Path(__file__).parents[2] / "golden"
ABSTRACT = {
    "Record",
    "Payload",
    "Webhook",
    "DomainEvent",
    "PaymentEvent",
    "ShipmentEvent",
    "RefundEvent",
    "SubscriptionEvent",
    "InvoiceEvent",
    "DisputeEvent",
}
ENUMS = {name: hint for name, hint in vars(events).items() if typing.get_origin(hint) is typing.Literal}
PRIMITIVES = {"string": str, "long": int, "bytes": bytes, "boolean": bool}


def records() -> dict[str, type[Record]]:
    found = {name: kind for name, kind in vars(events).items() if isinstance(kind, type) and issubclass(kind, Record)}
    return {name: kind for name, kind in found.items() if name not in ABSTRACT}


def hint_of(avro: Any) -> Any:
    """The Python type of an Avro type in our files."""
    if isinstance(avro, list):
        return hint_of(avro[1]) | None
    if isinstance(avro, dict) and avro["type"] == "array":
        return types.GenericAlias(tuple, (hint_of(avro["items"]), ...))
    if isinstance(avro, dict):
        return dict[str, str]
    return PRIMITIVES.get(avro) or ENUMS.get(avro) or getattr(events, avro)


def plain(hint: Any) -> Any:
    """A type without its NewTypes, which Avro does not know."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return functools.reduce(operator.or_, map(plain, typing.get_args(hint)))
    return getattr(hint, "__supertype__", hint)


@pytest.mark.parametrize("name", records())
def test_each_record_has_the_fields_its_file_declares(name: str) -> None:
    declared = json.loads((FOLDER / f"{name}.avsc").read_text())
    hints = typing.get_type_hints(records()[name])

    fields = {field.name: plain(hints[field.name]) for field in msgspec.structs.fields(records()[name])}

    assert list(fields) == [field["name"] for field in declared["fields"]]
    assert list(fields.values()) == [hint_of(field["type"]) for field in declared["fields"]]


PAYLOADS = [name for name, kind in records().items() if issubclass(kind, events.Payload)]


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_field_that_a_payload_omits_is_read_as_its_default(name: str) -> None:
    """A payload is encoded without its defaults, so the file must declare the same defaults."""
    declared = {field["name"]: field for field in json.loads((FOLDER / f"{name}.avsc").read_text())["fields"]}
    left_out = {
        field.name: msgspec.json.decode(
            msgspec.json.encode(field.default if field.default is not msgspec.NODEFAULT else field.default_factory())
        )
        for field in msgspec.structs.fields(records()[name])
        if not field.required
    }

    assert {field: declared[field]["default"] for field in left_out} == left_out


@pytest.mark.parametrize("name", ENUMS)
def test_each_enum_can_take_a_symbol_it_does_not_know_yet(name: str) -> None:
    declared = json.loads((FOLDER / f"{name}.avsc").read_text())

    assert declared["symbols"] == ["unknown", *typing.get_args(ENUMS[name])]
    assert declared["default"] == "unknown"


def test_no_file_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.avsc")} == {*records(), *ENUMS}


def test_every_topic_carries_registered_records() -> None:
    registered = {entry["subject"] for entry in CommittedRegistry().entries}

    assert {kind.__name__ for kind in topics.RECORDS} == registered


@pytest.mark.parametrize(
    "entry", CommittedRegistry().entries, ids=lambda entry: f"{entry['subject']}.v{entry['version']}"
)
def test_a_record_of_every_version_ever_written_is_read(entry: dict[str, Any]) -> None:
    written = (GOLDEN / f"{entry['subject']}.v{entry['version']}.avro").read_bytes()

    record = Codec(CommittedRegistry()).decode(written)

    assert type(record).__name__ == entry["subject"]
    assert int.from_bytes(written[1:5], "big") == entry["id"]


def test_unions_are_written_as_null_first() -> None:
    nullable = [
        (path.stem, field["name"])
        for path in FOLDER.glob("*.avsc")
        for field in json.loads(path.read_text()).get("fields", [])
        if isinstance(field["type"], list) and (field["type"][0] != "null" or field.get("default", 0) is not None)
    ]

    assert nullable == []
