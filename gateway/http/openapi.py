"""The gateway's OpenAPI documents: the webhook paths, made from the catalogue, and its management routes. Pure."""

import json
from collections import defaultdict
from collections.abc import Iterator

from gateway.http.refusals import STATUS, Refusal
from providers import catalogue
from providers.contract import Provider
from providers.responses import WebhookResponse
from runtime.management import openapi
from runtime.management.openapi import FLAG, NUMBER, TEXT, Operation, Schema, array, described, optional, record
from runtime.management.routes import Routes

OPENAPI_PATH = "/openapi.json"
EXAMPLE_ID = "5f0c3b1e-0000-5000-8000-000000000000"
INTERNAL = 500
POSITION = record(topic=TEXT, partition=NUMBER, offset=NUMBER)
RELEASE = Operation(
    "Verify and translate quarantined webhooks again, and append those that are accepted now",
    body={**record(records={**array(POSITION), "minItems": 1, "maxItems": 50}), "additionalProperties": True},
    response=record(results=array(record(released=FLAG))),
    refusals=(503, 504),
)
SPOOL = Operation(
    "How much the spool holds, and why its disk refuses writes",
    response=record(configured=FLAG, records=NUMBER, bytes=NUMBER, maxBytes=NUMBER, refused=optional(TEXT)),
    refusals=(503, 504),
)

OPERATIONS = {
    ("POST", "/quarantine/release"): RELEASE,
    ("GET", "/spool"): SPOOL,
    ("GET", "/providers"): Operation(
        "Each provider: verification, secrets by fingerprint, whether it is paused",
        query={"pending": {"type": "string", "enum": ["true", "false"]}},
        response=record(providers=array(record(provider=TEXT))),
        refusals=(503, 504),
    ),
    ("POST", "/providers/pause"): Operation(
        "Quarantine the webhooks of a provider from now on",
        body=record(provider=TEXT, reason=TEXT, by=TEXT),
        response=record(),
        refusals=(404, 409, 503, 504),
    ),
    ("POST", "/providers/resume"): Operation(
        "Release what was quarantined in order, and let webhooks through",
        body=record(provider=TEXT, by=TEXT),
        response=record(),
        refusals=(404, 409, 503, 504),
    ),
}
"""The routes of the management API, by method and path."""


def all_described(routes: Routes) -> Routes:
    """Return the management routes with handlers that carry their description in OPERATIONS."""
    return {
        (method, path): described(OPERATIONS.get((method, path), Operation(f"{method} {path}")), handler)
        for (method, path), handler in routes.items()
    }


def document(version: str) -> dict[str, object]:
    """Return the OpenAPI document of the public listener; `version` is that of hookstream."""
    paths: dict[str, object] = {
        "/health/live": {"get": openapi.health("/health/live")},
        "/health/ready": {"get": openapi.health("/health/ready")},
        OPENAPI_PATH: {"get": {"summary": "This document", "responses": {"200": openapi.answer("done", record())}}},
    }
    rows: dict[str, list[Provider]] = defaultdict(list)
    for row in catalogue.ROWS:
        for path in row.paths:
            rows[path].append(row)
    for path, providers in sorted(rows.items()):
        paths[path] = {"post": _webhook(path, providers)}
        if any(provider.takes_token for provider in providers):
            token = {"name": "token", "in": "path", "required": True, "schema": TEXT}
            paths[f"{path}/{{token}}"] = {"post": _webhook(path, providers, token)}
    return openapi.document("hookstream gateway", version, paths, token=None)


def _webhook(path: str, providers: list[Provider], *parameters: dict[str, object]) -> dict[str, object]:
    """Return the operation of a path; two contracts may share it, which their headers tell apart."""
    provider_names = ", ".join(dict.fromkeys(provider.name for provider in providers))
    stored = sorted({header for provider in providers for header in provider.stored_headers})
    headers = [{"name": name, "in": "header", "schema": TEXT} for name in stored]
    media: dict[str, object] = {"application/json": {"schema": {"type": "object"}}}
    if any(provider.takes_forms for provider in providers):
        media["application/x-www-form-urlencoded"] = {"schema": {"type": "object"}}
    return {
        "summary": f"A webhook of {provider_names}",
        "description": "\n\n".join(
            f"{row.name}: {row.events}\n\nAuthentication: {row.authentication}" for row in providers
        ),
        "operationId": f"post{path}" + ("_token" if parameters else ""),
        "parameters": [*parameters, *headers],
        "requestBody": {"required": True, "content": media},
        "responses": _responses(providers),
    }


def _responses(providers: list[Provider]) -> dict[str, object]:
    """Return the answers by status. A status that several answers have is described by each of their schemas."""
    schemas: dict[int, dict[str, list[Schema]]] = defaultdict(lambda: defaultdict(list))
    for answer in (*_refusals(providers), *(each for row in providers for each in _successes(row))):
        known = schemas[answer.status][answer.content_type.decode().partition(";")[0]]
        if (schema := _schema(answer)) not in known:
            known.append(schema)
    return {
        str(status): {
            "description": "accepted" if status < 300 else ", ".join(_causes(status)) or "refused",  # noqa: PLR2004 - 2xx
            "content": {media: {"schema": {"anyOf": found}} for media, found in by_media.items()},
        }
        for status, by_media in sorted(schemas.items())
    }


def _refusals(providers: list[Provider]) -> Iterator[WebhookResponse]:
    for cause in STATUS:
        if STATUS[cause] != INTERNAL:
            yield Refusal(cause, "…").answer()
            yield from (own for provider in providers if (own := provider.refusal(cause, "…")))


def _successes(provider: Provider) -> Iterator[WebhookResponse]:
    yield provider.success_response(EXAMPLE_ID, "an.event")
    yield from (answer for answer in (provider.spooled_response, provider.no_secret_response) if answer)


def _causes(status: int) -> list[str]:
    return [cause for cause, code in STATUS.items() if code == status]


def _schema(answer: WebhookResponse) -> Schema:
    try:
        return _shape(json.loads(answer.body))
    except ValueError:
        return TEXT


def _shape(value: object) -> Schema:
    """Return the schema of values like this one."""
    match value:
        case bool():
            return FLAG
        case str():
            return TEXT
        case int() | float():
            return {"type": "number"}
        case dict():
            return record(**{str(name): _shape(item) for name, item in value.items()})
        case list():
            return {"type": "array"}
        case _:
            return {}
