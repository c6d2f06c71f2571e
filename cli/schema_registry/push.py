"""Pushes the committed schemas to a schema registry, with their committed ids if the registry can import."""

from collections.abc import Iterator
from contextlib import contextmanager

from local.messages import CommandError
from stream.avro.registry import Entry
from stream.avro.registry_client import RegistryClient, RegistryError
from stream.avro.schemas import canonical

OK = 200
IMPORT, NORMAL = "IMPORT", "READWRITE"
"""Modes of a subject: the pusher chooses ids, or the registry does."""


def push(client: RegistryClient, entries: list[Entry]) -> Iterator[tuple[Entry, int]]:
    """Register the entries that the registry lacks, in the order of their ids; yield each entry with its id there.

    An entry is registered when the iterator reaches it. The id there differs from the committed one if the registry
    cannot import ids, or had the schema before. Raises CommandError when the registry refuses a schema or keeps a
    subject in mode IMPORT, RegistryError when it does not answer.
    """
    for entry in sorted(entries, key=lambda entry: entry["id"]):
        found = find(client, entry)
        yield entry, _register(client, entry) if found is None else found


def find(client: RegistryClient, entry: Entry) -> int | None:
    """Return the id that the registry has for the entry's schema; None if it lacks the schema, or refuses the look-up.

    Raises RegistryError when the registry does not answer.
    """
    status, answer = client.call("POST", f"/subjects/{entry['subject']}", {"schema": canonical(entry["schema"])})
    return _id(client, answer) if status == OK else None


def _register(client: RegistryClient, entry: Entry) -> int:
    with _importing(client, entry["subject"]) as imports:
        body: dict[str, object] = {"schema": canonical(entry["schema"])}
        if imports:
            body |= {"id": entry["id"], "version": entry["version"]}
        status, answer = client.call("POST", f"/subjects/{entry['subject']}/versions", body)
    if status != OK:
        why = answer.get("message") if isinstance(answer, dict) else None
        raise CommandError(f"{client.name} refuses {entry['subject']} version {entry['version']} ({status}): {why}")
    return _id(client, answer)


@contextmanager
def _importing(client: RegistryClient, subject: str) -> Iterator[bool]:
    """Set a subject to mode IMPORT and back; yield whether the registry supports that mode.

    Raises CommandError when the mode cannot be set back.
    """
    imports = _set_mode(client, subject, IMPORT)
    try:
        yield imports
    finally:
        if imports and not _set_mode(client, subject, NORMAL):
            raise CommandError(f"{client.name} still has {subject} in mode {IMPORT}: set it back to {NORMAL}.")


def _set_mode(client: RegistryClient, subject: str, mode: str) -> bool:
    try:
        status, _ = client.call("PUT", f"/mode/{subject}?force=true", {"mode": mode})
    except RegistryError:  # Apicurio answers 500 to endpoints it does not have
        return False
    return status == OK


def _id(client: RegistryClient, answer: object) -> int:
    found = answer.get("id") if isinstance(answer, dict) else None
    if type(found) is not int:
        raise RegistryError(f"{client.name} does not answer as a schema registry: the response has no id")
    return found
