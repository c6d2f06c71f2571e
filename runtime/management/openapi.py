"""Builds OpenAPI 3.1 documents of the HTTP APIs. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from runtime.json_value import JsonValue
from runtime.management.routes import RouteHandler

Schema = Mapping[str, JsonValue]
"""A JSON Schema."""

TEXT: Schema = {"type": "string"}
UUID_TEXT: Schema = {"type": "string", "format": "uuid"}
NUMBER: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
ANYTHING: Schema = {}
INSTANT: Schema = {"type": "string", "description": "a date (a day in UTC), or an instant with its offset from UTC"}


def optional(schema: Schema) -> Schema:
    """Return the schema of a value that may be null."""
    return {"anyOf": [schema, {"type": "null"}]}


def array(items: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": items}


def record(**properties: Schema) -> Schema:
    """Return the schema of an object that has at least these fields, each by its schema."""
    return {"type": "object", "required": list(properties), "properties": properties}


def integer(least: int, most: int, default: int) -> Schema:
    """Return the schema of a whole number from `least` to `most`, both included."""
    return {"type": "integer", "minimum": least, "maximum": most, "default": default}


ERROR = record(error={"type": "string", "description": "a word for programs"}, message=TEXT)
READY = {"type": "object", "required": ["problems"], "properties": {"problems": array(TEXT), "warnings": array(TEXT)}}


@dataclass(frozen=True, slots=True)
class Operation:
    """The requests and responses of one route.

    `query` are the optional parameters and `required` the others, by their schemas; `body` is that of the JSON body.
    `refusals` are the statuses of answers with ERROR, beside those that the document adds to every operation.
    """

    summary: str
    query: Mapping[str, Schema] = field(default_factory=dict)
    required: Mapping[str, Schema] = field(default_factory=dict)
    body: Schema | None = None
    response: Schema = field(default_factory=dict)
    refusals: tuple[int, ...] = ()


def described(operation: Operation, handler: RouteHandler) -> RouteHandler:
    """Return a handler that does the same and carries `operation`, which `operation_of` returns."""
    carrier = partial(handler)  # a method takes no attributes
    carrier.operation = operation  # type: ignore[attr-defined] # a partial does
    return carrier


def operation_of(handler: RouteHandler, name: str) -> Operation:
    """Return the operation that `described` attached; else one with the summary `name`, and no parameters and body."""
    found = getattr(handler, "operation", None)
    return found if isinstance(found, Operation) else Operation(name)


def rendered(operation: Operation, refusals: Iterable[int], path: str = "") -> dict[str, object]:
    """Return `operation` as a document has it; statuses in `refusals` are added to its own.

    Parts of `path` such as `{id}` become required parameters of type text.
    """
    parameters = [
        *({"name": name, "in": "path", "required": True, "schema": TEXT} for name in _names(path)),
        *({"name": name, "in": "query", "required": True, "schema": each} for name, each in operation.required.items()),
        *({"name": name, "in": "query", "schema": each} for name, each in operation.query.items()),
    ]
    statuses = sorted({*operation.refusals, *refusals})
    answers = {"200": answer("done", operation.response)} | {str(code): answer("refused", ERROR) for code in statuses}
    shown: dict[str, object] = {"summary": operation.summary, "parameters": parameters, "responses": answers}
    if operation.body is not None:
        shown["requestBody"] = {"required": True, "content": {"application/json": {"schema": operation.body}}}
    return shown


def answer(description: str, schema: Schema, media: str = "application/json") -> dict[str, object]:
    """Return a response as a document has it; `schema` is that of its body, of content type `media`."""
    return {"description": description, "content": {media: {"schema": schema}}}


def health(path: str) -> dict[str, object]:
    """Return the operation of a health path as a document has it; it needs no token."""
    answers = {"200": answer("ready", READY), "503": answer("not ready; `problems` says why", READY)}
    return {"summary": f"Health: {path.rpartition('/')[2]}", "security": [], "responses": answers}


def document(title: str, version: str, paths: Mapping[str, object], *, token: str | None) -> dict[str, object]:
    """Return an OpenAPI document; `paths` maps path → method → operation.

    `token` describes the bearer token that operations need unless they say otherwise; None: there is no token.
    """
    shown: dict[str, object] = {"openapi": "3.1.0", "info": {"title": title, "version": version}, "paths": dict(paths)}
    if token:
        shown["components"] = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": token}}}
        shown["security"] = [{"token": []}]
    return shown


def _names(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]
