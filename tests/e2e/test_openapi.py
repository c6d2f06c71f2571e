"""The OpenAPI documents are true: no listed request breaks a service, and every answer is as described."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.http.openapi import document as gateway_document
from tests.actors import Shop

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 8
"""Requests for each operation."""
TRIED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)


def try_all(document: dict[str, Any], url: str, headers: dict[str, str]) -> list[str]:
    """Send generated requests of every operation, and return the answers as `method path status`."""
    schema, answered = schemathesis.openapi.from_dict(document), list[str]()
    for operation in operations(schema):

        @TRIED
        @given(case=operation.as_strategy())
        def attempt(case: Any) -> None:
            response = case.call(base_url=url, headers=headers)
            answered.append(f"{case.method} {case.path} {response.status_code}")
            case.validate_response(response, checks=CHECKS)

        attempt()
    return answered


def operations(schema: Any) -> Iterator[Any]:
    for found in schema.get_all_operations():
        yield found.ok()


def fetched(url: str, path: str, token: str) -> dict[str, Any]:
    assert requests.get(url + path, timeout=10).status_code == 401
    answer = requests.get(url + path, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_the_gateway_answers_as_its_document_says(system: dict[str, str]) -> None:
    answer = requests.get(f"{system['GATEWAY_URL']}/openapi.json", timeout=10)

    assert answer.json() == gateway_document(answer.json()["info"]["version"])
    answered = try_all(answer.json(), system["GATEWAY_URL"], {})
    assert any("401" in line for line in answered)


def test_an_accepted_webhook_is_answered_as_the_document_says(system: dict[str, str], shop: Shop) -> None:
    schema: Any = schemathesis.openapi.from_dict(gateway_document("0"))
    body = {"orderId": "openapi-1", "status": "completed", "amount": 1}
    case = schema["/webhooks/payment"]["POST"].Case(body=body, media_type="application/json")

    prepared = requests.Request(**case.as_transport_kwargs(base_url=system["GATEWAY_URL"])).prepare()
    prepared.headers["X-Webhook-Signature"] = shop.sign(to_bytes(prepared.body))
    with requests.Session() as session:
        answer = session.send(prepared)

    assert answer.status_code == 200
    case.validate_response(answer, checks=CHECKS)


def to_bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body)


def test_the_console_answers_as_its_document_says(system: dict[str, str]) -> None:
    document = fetched(system["CONSOLE_URL"], "/api/openapi.json", system["CONSOLE_TOKEN"])

    answered = try_all(document, system["CONSOLE_URL"], {"Authorization": f"Bearer {system['CONSOLE_TOKEN']}"})
    assert {line.split()[-1] for line in answered} >= {"200", "400", "404"}


@pytest.mark.parametrize("service", ["gateway", "payment", "notifier", "confirmer"])
def test_management_listeners_answer_as_their_documents_say(service: str, system: dict[str, str]) -> None:
    url, token = system[f"{service.upper()}_MANAGEMENT_URL"], system["MANAGEMENT_TOKEN"]
    document = fetched(url, "/openapi.json", token)

    answered = try_all(document, url, {"Authorization": f"Bearer {token}"})
    assert {line.split()[-1] for line in answered} >= {"200", "400"}
