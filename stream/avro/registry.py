"""Maps schemas to the ids in encoded records: by the committed `registry.json`, or by a schema registry.

The committed file is append-only, so an id never changes its meaning: `[{id, subject, version, schema}]`, where the
subject is the record's name. A registry (Confluent API: Karapace, Apicurio, Confluent) is used when its URL is set.
Only schemas in the committed file are ever used (see `codec`): a registry only maps its ids to them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, TypedDict

from runtime.config.settings import Settings, value_of
from stream.avro import schemas
from stream.avro.registry_client import TIMEOUT_S, RegistryClient, RegistryError
from stream.avro.schemas import FOLDER, Schema

FILE = FOLDER / "registry.json"
NOT_FOUND, CONFLICT = 404, 409
LARGEST_ID = 2**31 - 1


class Entry(TypedDict):
    """A committed version of the schema of the record `subject`."""

    id: int
    subject: str
    version: int
    schema: Schema


class UnknownSchema(LookupError):
    """No schema has this id or subject."""


class Registry(Protocol):
    """Looks up the id of our schema of a record by its subject, and a schema by its id.

    Both raise UnknownSchema when there is none. A remote registry raises RegistryError from `id_of` instead, and when
    it fails.
    """

    def id_of(self, subject: str) -> int: ...
    def schema_of(self, schema_id: int) -> Schema: ...


class CommittedRegistry:
    """Looks up schemas in the committed file."""

    def __init__(self, file: Path = FILE) -> None:
        self.entries: list[Entry] = json.loads(file.read_text())
        self._newest: dict[str, int] = {entry["subject"]: entry["id"] for entry in self.entries}
        self._schemas: dict[int, Schema] = {entry["id"]: entry["schema"] for entry in self.entries}

    def id_of(self, subject: str) -> int:
        """Return the id of the newest version of `subject`. Raises UnknownSchema when the file has none."""
        if subject not in self._newest:
            raise UnknownSchema(f"{subject} is not in registry.json: run `hookstream schemas add`")
        return self._newest[subject]

    def schema_of(self, schema_id: int) -> Schema:
        """Return the schema with this id. Raises UnknownSchema when the file has none."""
        if schema_id not in self._schemas:
            raise UnknownSchema(f"no schema has the id {schema_id}")
        return self._schemas[schema_id]


class RemoteRegistry:
    """Looks up schemas in a schema registry over HTTP, each only once.

    With `registers`, schemas that the registry lacks are registered. All methods raise RegistryError, an OSError, when
    the registry fails.
    """

    def __init__(self, client: RegistryClient, *, registers: bool) -> None:
        self._client = client
        self._registers = registers
        self._ids: dict[str, int] = {}
        self._schemas: dict[int, Schema] = {}

    def id_of(self, subject: str) -> int:
        """Return the registry's id of our schema of `subject`; with `registers`, register the schema first.

        Raises RegistryError when the registry refuses the schema as incompatible, or lacks it and `registers` is False.
        """
        if subject not in self._ids:
            self._ids[subject] = self._registered(subject) if self._registers else self._looked_up(subject)
        return self._ids[subject]

    def schema_of(self, schema_id: int) -> Schema:
        """Return the schema with this id, as the registry has it.

        Raises UnknownSchema when the registry has none, or when it is not an Avro schema.
        """
        if schema_id not in self._schemas:
            status, answer = self._client.call("GET", f"/schemas/ids/{schema_id}")
            if status == NOT_FOUND:
                raise UnknownSchema(f"{self._client.name} has no schema with the id {schema_id}")
            self._schemas[schema_id] = self._parsed(schema_id, answer)
        return self._schemas[schema_id]

    def _registered(self, subject: str) -> int:
        status, answer = self._client.call("POST", f"/subjects/{subject}/versions", _body(subject))
        if status == CONFLICT:
            raise RegistryError(f"{self._client.name} refuses the schema of {subject} as incompatible with what it has")
        if status == NOT_FOUND:
            raise RegistryError(
                f"{self._client.name} has no Confluent API there: it does not know /subjects/{subject}/versions"
            )
        return self._id(answer)

    def _looked_up(self, subject: str) -> int:
        status, answer = self._client.call("POST", f"/subjects/{subject}", _body(subject))
        if status == NOT_FOUND:
            raise RegistryError(
                f"{self._client.name} does not have the schema of {subject}: run `hookstream schemas push`, "
                "or set SCHEMA_REGISTER=true"
            )
        return self._id(answer)

    def _id(self, answer: object) -> int:
        found = answer.get("id") if isinstance(answer, dict) else None
        if type(found) is not int or not 0 < found <= LARGEST_ID:
            raise RegistryError(f"{self._client.name} does not answer as a schema registry: it names no id")
        return found

    def _parsed(self, schema_id: int, answer: object) -> Schema:
        text = answer.get("schema") if isinstance(answer, dict) else None
        if not isinstance(text, str):
            raise RegistryError(f"{self._client.name} does not answer as a schema registry: it shows no schema")
        try:
            parsed: Schema = json.loads(text)
        except (ValueError, RecursionError) as foreign:
            raise UnknownSchema(f"the schema {schema_id} is not an Avro schema") from foreign
        return parsed


def registry(settings: Settings) -> Registry:
    """Return the schema registry that a service's settings name; the committed file when they name none.

    Raises WrongSetting or UnreadableSetting when `RegistryClient` cannot be made of them.
    """
    if settings.schema_registry_url is None:
        return CommittedRegistry()
    return RemoteRegistry(client_of(settings), registers=settings.schema_register)


def client_of(settings: Settings, timeout_s: float = TIMEOUT_S) -> RegistryClient:
    """Return a client of the registry that a service's settings name.

    Raises what `RegistryClient` raises: ValueError also when they name none.
    """
    ca, url = settings.schema_registry_ca, settings.schema_registry_url or ""
    return RegistryClient(url, settings.schema_registry_token, str(ca) if ca else None, timeout_s)


def registry_of_environment(environment: Mapping[str, str]) -> Registry:
    """Return the schema registry that environment variables name, for programs without a Settings class.

    It registers no schemas. Without SCHEMA_REGISTRY_URL it is the committed file. Raises WrongSetting or
    UnreadableSetting when a variable cannot be used.
    """
    client = client_of_environment(environment)
    return RemoteRegistry(client, registers=False) if client else CommittedRegistry()


def client_of_environment(environment: Mapping[str, str]) -> RegistryClient | None:
    """Return the client of the schema registry that environment variables name; None without SCHEMA_REGISTRY_URL.

    Raises ValueError or OSError, with a sentence, when a variable cannot be used.
    """
    url, token, ca = (value_of(environment, f"SCHEMA_REGISTRY_{name}") for name in ("URL", "TOKEN", "CA"))
    return RegistryClient(url, token, ca) if url else None


def _body(subject: str) -> dict[str, str]:
    return {"schema": schemas.canonical(schemas.declared(subject))}
