"""Which number stands for which schema on the wire: the committed `registry.json`, or a schema registry.

The committed file is append-only, so an id never changes its meaning: `[{id, subject, version, schema}]`, the subject
being the record's name. A registry (Confluent API: Karapace, Apicurio, Confluent) is asked when its URL is set.
"""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Protocol

from stream import schemas
from stream.schemas import FOLDER, Schema

FILE = FOLDER / "registry.json"
TIMEOUT_S = 15.0
"""One that has just started takes its time for the first question."""


class UnknownSchema(LookupError):
    """No schema is known by this id or name."""


class Registry(Protocol):
    """Both ways of looking a schema up."""

    def id_of(self, subject: str) -> int: ...
    def schema_of(self, schema_id: int) -> Schema: ...


class CommittedRegistry:
    """Ids from the file in the repository."""

    def __init__(self, file: Path = FILE) -> None:
        self.entries: list[dict[str, Any]] = json.loads(file.read_text())
        self._newest = {entry["subject"]: entry["id"] for entry in self.entries}
        self._schemas: dict[int, Schema] = {entry["id"]: entry["schema"] for entry in self.entries}

    def id_of(self, subject: str) -> int:
        """The id of the newest version of `subject`."""
        if subject not in self._newest:
            raise UnknownSchema(f"{subject} is not in registry.json: run `hookstream schemas add`")
        newest: int = self._newest[subject]
        return newest

    def schema_of(self, schema_id: int) -> Schema:
        """The schema a record with this id was written with."""
        if schema_id not in self._schemas:
            raise UnknownSchema(f"no schema has the id {schema_id}")
        return self._schemas[schema_id]


class RemoteRegistry:
    """Ids from a schema registry over HTTP, each asked for once."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._ids: dict[str, int] = {}
        self._schemas: dict[int, Schema] = {}

    def id_of(self, subject: str) -> int:
        """The id the registry gave to our schema of `subject`; registers it when it is new there."""
        if subject not in self._ids:
            schema = schemas.canonical(schemas.declared(subject))
            answer = self._call(f"/subjects/{subject}/versions", {"schema": schema})
            self._ids[subject] = int(answer["id"])
        return self._ids[subject]

    def schema_of(self, schema_id: int) -> Schema:
        """The schema a record with this id was written with."""
        if schema_id not in self._schemas:
            answer = self._call(f"/schemas/ids/{schema_id}")
            try:
                self._schemas[schema_id] = json.loads(answer["schema"])
            except ValueError as foreign:
                raise UnknownSchema(f"the schema {schema_id} is not one of Avro") from foreign
        return self._schemas[schema_id]

    def _call(self, path: str, body: dict[str, str] | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the operator's own registry
            self._url + path,
            data=json.dumps(body).encode() if body else None,
            headers={"Content-Type": "application/vnd.schemaregistry.v1+json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310
                return json.load(response)
        except urllib.error.HTTPError as refused:
            if refused.code == 404:  # noqa: PLR2004 - not found
                raise UnknownSchema(f"the registry at {self._url} knows nothing at {path}") from refused
            raise


def registry(url: str | None) -> Registry:
    """The registry at `url`, or the committed file when there is none."""
    return RemoteRegistry(url) if url else CommittedRegistry()
