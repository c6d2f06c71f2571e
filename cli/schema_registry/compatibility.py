"""Checks that every version of a record can read every other: FULL_TRANSITIVE in schema registries."""

import json
from collections.abc import Sequence
from itertools import permutations

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse

from stream.avro.registry import Entry


def problems(entries: Sequence[Entry]) -> list[str]:
    """Return an error text for each version of a record that cannot read another version of the same record."""
    subjects = {
        entry["subject"]: [version for version in entries if version["subject"] == entry["subject"]]
        for entry in entries
    }
    pairs = (pair for versions in subjects.values() for pair in permutations(versions, 2))
    return [problem for reader, writer in pairs if (problem := _problem(reader, writer))]


def _problem(reader: Entry, writer: Entry) -> str | None:
    reading, writing = (parse(json.dumps(entry["schema"])) for entry in (reader, writer))
    found = ReaderWriterCompatibilityChecker().get_compatibility(reading, writing)  # type: ignore[no-untyped-call]
    if found.compatibility is SchemaCompatibilityType.compatible:
        return None
    why = "; ".join(sorted(found.messages))
    return f"{reader['subject']}: version {reader['version']} cannot read version {writer['version']}: {why}."
