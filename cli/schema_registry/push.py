"""Brings the committed schemas to a schema registry, with their committed ids where it can import."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cli.schema_registry.registration import Entry
from local.messages import Trouble
from stream.avro.registry_client import RegistryClient, RegistryError
from stream.avro.schemas import canonical

OK, CONFLICT = 200, 409
IMPORT, NORMAL = "IMPORT", "READWRITE"


def push(client: RegistryClient, entries: list[Entry]) -> Iterator[tuple[Entry, int]]:
    """Each entry and the id the registry has for it, registered when it was missing.

    Raises Trouble when the registry refuses one, and Failure when it is away.
    """
    for entry in sorted(entries, key=lambda entry: int(entry["id"])):
        found = _found(client, entry)
        yield entry, _register(client, entry) if found is None else found


def _found(client: RegistryClient, entry: Entry) -> int | None:
    status, answer = client.call("POST", f"/subjects/{entry['subject']}", {"schema": canonical(entry["schema"])})
    return _id(client, answer) if status == OK else None


def _register(client: RegistryClient, entry: Entry) -> int:
    with _importing(client, entry["subject"]) as imports:
        body: dict[str, Any] = {"schema": canonical(entry["schema"])}
        if imports:
            body |= {"id": entry["id"], "version": entry["version"]}
        status, answer = client.call("POST", f"/subjects/{entry['subject']}/versions", body)
    if status != OK:
        why = answer.get("message") if isinstance(answer, dict) else None
        raise Trouble(f"{client.name} refuses {entry['subject']} version {entry['version']} ({status}): {why}")
    return _id(client, answer)


@contextmanager
def _importing(client: RegistryClient, subject: str) -> Iterator[bool]:
    """Return whether the registry accepts ids for this subject (mode IMPORT); not every registry does."""
    imports = _set_mode(client, subject, IMPORT)
    try:
        yield imports
    finally:
        if imports and not _set_mode(client, subject, NORMAL):
            raise Trouble(f"{client.name} has {subject} still in mode {IMPORT}: set it back to {NORMAL}")


def _set_mode(client: RegistryClient, subject: str, mode: str) -> bool:
    try:
        status, _ = client.call("PUT", f"/mode/{subject}?force=true", {"mode": mode})
    except RegistryError:  # Apicurio answers 500 to what it does not have
        return False
    return status == OK


def _id(client: RegistryClient, answer: Any) -> int:
    found = answer.get("id") if isinstance(answer, dict) else None
    if type(found) is not int:
        raise RegistryError(f"{client.name} does not answer as a schema registry: it names no id")
    return found
