"""The OpenAPI document of the console's API. Pure."""

from collections.abc import Iterable, Mapping

from console.api.query_params import MAX_LENGTH, MAX_LIMIT
from console.domain import STATUSES
from console.issues.domain import STATES as ISSUE_STATES
from console.labels import PROVIDERS
from console.queries.criteria import LIMIT
from runtime import __version__
from runtime.json_value import JsonValue
from runtime.management import openapi
from runtime.management.openapi import INSTANT, NUMBER, TEXT, Operation, Schema, array, integer, optional, record

REFUSALS = (400, 401, 503)
"""The statuses with which every endpoint may refuse a request."""
_WORD = {"type": "string", "maxLength": MAX_LENGTH}
_PROVIDER = {"type": "string", "enum": list(PROVIDERS)}
_PERIOD: Mapping[str, Schema] = {"from": INSTANT, "to": INSTANT, "provider": _PROVIDER}
_PAGE: Mapping[str, Schema] = {
    "limit": integer(1, MAX_LIMIT, LIMIT),
    "cursor": {"type": "string", "description": "`next` of the page before"},
}
POSITION = optional(record(topic=TEXT, partition=NUMBER, offset=NUMBER))
WEBHOOK = record(
    webhookId=TEXT,
    providerEventId=optional(TEXT),
    provider=TEXT,
    type=TEXT,
    eventType=optional(TEXT),
    orderId=optional(TEXT),
    status={"type": "string", "enum": list(STATUSES)},
    retryCount=NUMBER,
    error=optional(TEXT),
    receivedAt=optional(TEXT),
)
RELATED: Mapping[str, Schema] = {
    "outcomes": array(record(eventId=TEXT, service=TEXT, outcome=TEXT, attempt=NUMBER)),
    "domain_events": array(record(eventId=TEXT, type=TEXT, body=record())),
    "mails": array(record(notificationId=TEXT, eventType=TEXT, audience=TEXT, messageId=TEXT)),
    "timeline": array(record(at=optional(TEXT), kind=TEXT, what=TEXT, id=TEXT)),
}
REFUSAL = record(refusalId=TEXT, orderIds=array(TEXT), provider=TEXT, path=TEXT, cause=TEXT, digest=TEXT)
ISSUE = record(issueId=TEXT, service=TEXT, cause=TEXT, line=TEXT, state=TEXT, dead=NUMBER, events=NUMBER)
COUNT = record(type=TEXT, count=NUMBER, successCount=NUMBER, failedCount=NUMBER)

OPERATIONS: Mapping[str, Operation] = {
    "/api/statistics": Operation(
        "Contract E's statistics",
        query=_PERIOD,
        response=record(provider=TEXT, totalCount=NUMBER, successRate=TEXT, typeStatistics=array(COUNT)),
    ),
    "/api/webhooks": Operation(
        "A page of the log, newest first",
        query={
            **_PERIOD,
            "status": {"type": "string", "enum": list(STATUSES)},
            **dict.fromkeys(("type", "order", "id"), _WORD),
            **_PAGE,
        },
        response=record(webhooks=array(WEBHOOK), next=optional(TEXT)),
    ),
    "/api/webhooks/{webhook_id}": Operation(
        "One webhook by our id or its provider's: 409 if several have that id",
        response={**WEBHOOK, "properties": {**WEBHOOK["properties"], **RELATED, "record": POSITION}},
        refusals=(404, 409),
    ),
    "/api/orders/{order_id}": Operation(
        "An order's webhooks, domain events and mails, and what services did",
        response=record(orderId=TEXT, webhooks=array(WEBHOOK), **RELATED),
        refusals=(404,),
    ),
    "/api/orders/{order_id}/why/{field}": Operation(
        "Which webhook set a field of an order's state, and which ones lost", response=record(), refusals=(404,)
    ),
    "/api/customers/{customer_id}/balance": Operation(
        "A customer's balance by currency, in minor units",
        response=record(customerId=TEXT, balances=array(record(balance=NUMBER, currency=TEXT))),
    ),
    "/api/customers/{customer}/orders": Operation(
        "The orders of a customer, by e-mail address or customer id, the earliest first",
        response=record(
            customer=TEXT,
            customerIds=array(TEXT),
            orders=array(record(orderId=TEXT, webhooks=NUMBER)),
            complete={"type": "boolean"},
        ),
    ),
    "/api/refusals": Operation(
        "A page of refused requests, newest first",
        query={**_PERIOD, "cause": _WORD, "order": _WORD, **_PAGE},
        response=record(refusals=array(REFUSAL), next=optional(TEXT)),
    ),
    "/api/issues": Operation(
        "Issues: the dead events of a service with one cause, the latest death first",
        query={"state": {"type": "string", "enum": list(ISSUE_STATES)}, "service": _WORD},
        response=record(issues=array(ISSUE), counts=record()),
    ),
    "/api/issues/{issue_id}": Operation(
        "One issue with its events, the dead ones first",
        response={**ISSUE, "properties": {**ISSUE["properties"], "eventList": array(record(eventId=TEXT))}},
        refusals=(404,),
    ),
    "/api/actions": Operation(
        "People's actions in the console, the latest first",
        query={**dict.fromkeys(("user", "action", "target"), _WORD), "from": INSTANT, "to": INSTANT},
        response=record(actions=array(record(actionId=TEXT, user=TEXT, action=TEXT, target=TEXT, result=TEXT))),
    ),
    "/api/statistics/daily": Operation(
        "Contract E's statistics by day and provider, with amounts in minor units",
        query=_PERIOD,
        response=record(days=array(record(day=TEXT, provider=TEXT, totalCount=NUMBER, money=record()))),
    ),
    "/api/labels": Operation("Korean and English labels", response=record(types=record(), statuses=record())),
    "/api/openapi.json": Operation("This document", response=record(openapi=TEXT, paths=record())),
}


def document(endpoints: Iterable[str]) -> dict[str, JsonValue]:
    """Return the OpenAPI document of the health checks and the endpoints at these paths.

    Parameters in `endpoints` are spelled as Litestar does: `{order_id:str}`. A path without an entry in OPERATIONS is
    described by its path alone.
    """
    paths: dict[str, JsonValue] = {path: {"get": openapi.health(path)} for path in ("/health/live", "/health/ready")}
    for path in sorted(endpoint.replace(":str}", "}") for endpoint in endpoints):
        operation = OPERATIONS.get(path, Operation(path, refusals=(404,)))
        paths[path] = {"get": openapi.rendered(operation, REFUSALS, path)}
    return openapi.document("hookstream console", __version__, paths, token="CONSOLE_TOKEN")  # noqa: S106 - its name
