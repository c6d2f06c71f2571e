"""The endpoints of the API: each is a function from parameters to JSON."""

from collections.abc import Callable

from sqlalchemy import Connection

from console.api import (
    actions,
    daily,
    field_origin,
    issues,
    openapi,
    order_state,
    queries,
    query_params,
    search,
    statistics,
    views,
)
from console.api.labels import LABELS, provider_word
from console.api.query_params import BadParameter, Parameters
from runtime.json_value import JsonValue

Response = dict[str, JsonValue]
Endpoint = Callable[..., Response | None]
"""Takes a connection, the query parameters and the ids in the path. Returns None for 404.

Raises BadParameter if a parameter is unknown or malformed.
"""


class Ambiguous(ValueError):
    """A provider's id belongs to several webhooks, which are in `webhooks`, newest first."""

    def __init__(self, provider_id: str, webhooks: list[Response]) -> None:
        super().__init__(f"{provider_id} is the id of {len(webhooks)} webhooks; use the webhookId of one of them")
        self.webhooks = webhooks


def statistics_(tx: Connection, params: Parameters) -> Response:
    """Return contract E's statistics for a time range and a provider."""
    criteria = query_params.of_statistics(params)
    provider = provider_word(criteria.provider) if criteria.provider else statistics.ALL
    return statistics.statistics(provider, search.counted(tx, criteria))


def webhooks(tx: Connection, params: Parameters) -> Response:
    """Return a page of the log, newest first."""
    criteria, page = query_params.of_webhooks(params)
    return views.page(search.webhooks(tx, criteria, page), page.limit)


def webhook(tx: Connection, params: Parameters, webhook_id: str) -> Response | None:
    """Return one webhook by our id or its provider's, with its outcomes, domain events and mails.

    Raises Ambiguous if several webhooks have this provider's id.
    """
    query_params.reject_all(params)
    found = queries.webhook(tx, webhook_id) if query_params.is_uuid(query_params.checked_id(webhook_id)) else None
    if found is None:
        by_provider_id = queries.by_provider_id(tx, webhook_id)
        if len(by_provider_id) > 1:
            raise Ambiguous(webhook_id, [views.webhook(row) for row in by_provider_id])
        found = queries.webhook(tx, by_provider_id[0]["webhook_id"]) if by_provider_id else None
    return None if found is None else views.webhook_detail(*found)


def order(tx: Connection, params: Parameters, order_id: str) -> Response | None:
    """Return an order's state, and its webhooks, outcomes, domain events and mails."""
    query_params.reject_all(params)
    related = queries.order(tx, query_params.checked_id(order_id))
    state = queries.order_state(tx, order_id)
    is_known = state or related.webhooks or related.events or related.mails
    return views.order(order_id, related) | order_state.view(state) if is_known else None


def why(tx: Connection, params: Parameters, order_id: str, field: str) -> Response | None:
    """Return the webhook that set a field of an order's state, and those that stated it too and lost against it."""
    query_params.reject_all(params)
    if field not in order_state.FIELDS:
        raise BadParameter(f"the field must be one of {', '.join(order_state.FIELDS)}")
    state = queries.order_state(tx, query_params.checked_id(order_id))
    return None if state is None else field_origin.origin(tx, order_id, field, state)


def balance(tx: Connection, params: Parameters, customer_id: str) -> Response:
    """Return a customer's balance by currency."""
    query_params.reject_all(params)
    return views.balance(customer_id, queries.balances(tx, query_params.checked_id(customer_id)))


def refusals(tx: Connection, params: Parameters) -> Response:
    """Return a page of the rejected requests, newest first."""
    criteria, page = query_params.of_refusals(params)
    return views.refusals_page(queries.refusals(tx, criteria, page), page.limit)


def labels(_: Connection, params: Parameters) -> Response:
    """Return the Korean and English labels."""
    query_params.reject_all(params)
    return dict(LABELS)


def described(_: Connection, params: Parameters) -> Response:
    """Return the OpenAPI document."""
    query_params.reject_all(params)
    return openapi.document(ENDPOINTS)


ENDPOINTS: dict[str, Endpoint] = {
    "/api/statistics": statistics_,
    "/api/statistics/daily": daily.daily,
    "/api/webhooks": webhooks,
    "/api/webhooks/{webhook_id:str}": webhook,
    "/api/orders/{order_id:str}": order,
    "/api/orders/{order_id:str}/why/{field:str}": why,
    "/api/customers/{customer_id:str}/balance": balance,
    "/api/refusals": refusals,
    "/api/actions": actions.actions,
    "/api/issues": issues.issues,
    "/api/issues/{issue_id:str}": issues.issue,
    "/api/labels": labels,
    "/api/openapi.json": described,
}
