"""The committed registry of schemas, `registry.json`: one line for each version, ids ascending, append-only."""

import json
import subprocess
from collections.abc import Iterator

from cli.environment import ROOT
from stream.avro import schemas
from stream.avro.registry import FILE, Entry
from stream.avro.schemas import Schema
from stream.events.topics import RECORDS


def entries() -> list[Entry]:
    """Return the entries of registry.json, one for each version of a record, in the order of their ids."""
    found: list[Entry] = json.loads(FILE.read_text())
    return found


def committed() -> list[Entry]:
    """Return the entries of registry.json in git's HEAD; an empty list without git, a commit, or that file."""
    command = ["git", "-C", str(ROOT), "show", f"HEAD:./{FILE.relative_to(ROOT)}"]
    try:
        text = subprocess.run(command, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    found: list[Entry] = json.loads(text)
    return found


def rewritten(now: list[Entry], before: list[Entry]) -> Iterator[str]:
    """Yield an error text for each entry of `before` that `now` lacks at the same place, or has changed.

    Records may have been written with the id of such an entry.
    """
    for line, entry in enumerate(before):
        if line >= len(now) or now[line] != entry:
            yield f"registry.json is append-only, but {entry['subject']} version {entry['version']} has changed in it."


def unregistered(registered: list[Entry]) -> Iterator[str]:
    """Yield an error text for each record whose schema in schemas/avro is not its newest version in `registered`."""
    for entry in additions(registered):
        yield f"The schema of {entry['subject']} in schemas/avro is not registered: run `hookstream schemas add`."


def additions(registered: list[Entry]) -> list[Entry]:
    """Return an entry, with the next ids, for each schema in schemas/avro that is new or has changed. Write nothing."""
    newest = {entry["subject"]: entry for entry in registered}
    declared = {record.__name__: _plain(record.__name__) for record in RECORDS}
    missing = [name for name, schema in declared.items() if name not in newest or newest[name]["schema"] != schema]
    start = max((entry["id"] for entry in registered), default=0) + 1
    return [
        {
            "id": number,
            "subject": name,
            "version": newest[name]["version"] + 1 if name in newest else 1,
            "schema": declared[name],
        }
        for number, name in enumerate(missing, start)
    ]


def write(registered: list[Entry]) -> None:
    """Replace registry.json by these entries, one on each line, so that a diff shows the additions."""
    lines = (json.dumps(entry, separators=(",", ":"), ensure_ascii=False) for entry in registered)
    FILE.write_text("[\n" + ",\n".join(f"  {line}" for line in lines) + "\n]\n")


def _plain(name: str) -> Schema:
    plain: Schema = json.loads(schemas.canonical(schemas.declared(name)))
    return plain
