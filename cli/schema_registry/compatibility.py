"""Whether every version of a record can be read by every other: FULL_TRANSITIVE, as schema registries call it."""

import json
from collections.abc import Sequence
from itertools import permutations
from typing import Any

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse


def complaints(entries: Sequence[dict[str, Any]]) -> list[str]:
    """One for each version that cannot read another of its record."""
    subjects = {
        entry["subject"]: [each for each in entries if each["subject"] == entry["subject"]] for entry in entries
    }
    pairs = (pair for versions in subjects.values() for pair in permutations(versions, 2))
    return [complaint for reader, writer in pairs if (complaint := _complaint(reader, writer))]


def _complaint(reader: dict[str, Any], writer: dict[str, Any]) -> str | None:
    reading, writing = (parse(json.dumps(entry["schema"])) for entry in (reader, writer))
    found = ReaderWriterCompatibilityChecker().get_compatibility(reading, writing)  # type: ignore[no-untyped-call]
    if found.compatibility is SchemaCompatibilityType.compatible:
        return None
    why = "; ".join(sorted(found.messages))
    return f"{reader['subject']}: version {reader['version']} cannot read version {writer['version']}: {why}."
