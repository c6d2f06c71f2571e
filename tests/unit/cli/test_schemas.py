"""No schema gets in that a version of its record could not read, and no id changes its meaning."""

from copy import deepcopy
from typing import Any

import pytest

from cli.schema_registry import compatibility, registration
from stream.avro.registry import Entry

ENTRIES = registration.entries()


def another_version(change: dict[str, Any]) -> list[Entry]:
    """The newest entry, and a version of it with one more field."""
    last = ENTRIES[-1]
    schema = deepcopy(last["schema"])
    schema["fields"].append(change)
    return [last, {**last, "id": last["id"] + 1, "version": last["version"] + 1, "schema": schema}]


def test_the_committed_schemas_are_registered_and_compatible() -> None:
    assert list(registration.unregistered(ENTRIES)) == []
    assert list(registration.rewritten(ENTRIES, registration.committed())) == []
    assert compatibility.problems(ENTRIES) == []


def test_a_field_with_a_default_may_be_added() -> None:
    assert compatibility.problems(another_version({"name": "new", "type": ["null", "string"], "default": None})) == []


def test_a_field_without_a_default_may_not() -> None:
    (complaint,) = compatibility.problems(another_version({"name": "new", "type": "string"}))

    assert "cannot read version" in complaint


@pytest.mark.parametrize("now", [ENTRIES[:-1], [{**ENTRIES[0], "id": 99}, *ENTRIES[1:]], ENTRIES[::-1]])
def test_a_line_that_is_gone_or_has_changed_is_found(now: list[Entry]) -> None:
    assert list(registration.rewritten(now, ENTRIES))


def test_a_record_that_is_new_gets_the_next_id() -> None:
    (added,) = registration.additions(ENTRIES[:-1])

    assert added == ENTRIES[-1]


def test_a_record_that_has_changed_gets_the_next_version() -> None:
    before: Entry = {**ENTRIES[-1], "schema": {**ENTRIES[-1]["schema"], "fields": []}}

    (added,) = registration.additions([*ENTRIES[:-1], before])

    assert (added["id"], added["version"]) == (ENTRIES[-1]["id"] + 1, ENTRIES[-1]["version"] + 1)
