"""The endpoints of the API: each is a function from parameters to JSON. All of them only read."""

from collections.abc import Callable

from sqlalchemy import Connection

from console.api import openapi, query_params
from console.api.query_params import Parameters
from console.api.views import field_origin as field_origin_view
from console.api.views import log_entries, order_state, statistics
from console.api.views.actions import action
from console.api.views.daily import day_of_provider
from console.api.views.issues import with_iso_times
from console.issues.domain import STATES
from console.labels import LABELS, provider_word
from console.queries import actions, customers, field_origin, issues, lookup, search
from console.queries.criteria import BadParameter, is_uuid
from console.queries.figures import daily
from runtime.json_value import JsonValue

Response = dict[str, JsonValue]
Endpoint = Callable[..., Response | None]
"""Takes a connection, the query parameters and the ids in the path. Returns the JSON of the response; None for 404.

Raises BadParameter (400) if a query parameter or an id is unknown or malformed.
"""


class Ambiguous(ValueError):
    """A provider's id belongs to several webhooks (409); `webhooks` has them as JSON, newest first."""

    def __init__(self, provider_id: str, webhooks: list[Response]) -> None:
        super().__init__(f"{provider_id} is the id of {len(webhooks)} webhooks; use the webhookId of one of them")
        self.webhooks = webhooks


def statistics_(tx: Connection, params: Parameters) -> Response:
    """Return contract E's statistics for the range and provider of the parameters; by default of all webhooks."""
    criteria = query_params.of_statistics(params)
    provider = provider_word(criteria.provider) if criteria.provider else statistics.ALL
    return statistics.statistics(provider, search.counted(tx, criteria))


def daily_statistics(tx: Connection, params: Parameters) -> Response:
    """Return the statistics by day of UTC and provider, the latest day first; without `from`, of `daily.USUAL_DAYS`."""
    return {"days": [day_of_provider(day) for day in daily.select(tx, query_params.of_statistics(params))]}


def webhooks(tx: Connection, params: Parameters) -> Response:
    """Return a page of the log, newest first; `next` is the cursor of the next page, or None."""
    criteria, page = query_params.of_webhooks(params)
    return log_entries.page(search.webhooks(tx, criteria, page), page.limit)


def webhook(tx: Connection, params: Parameters, webhook_id: str) -> Response | None:
    """Return one webhook by our id or its provider's, with its outcomes, domain events and mails; None without one.

    Raises Ambiguous if several webhooks have this provider's id.
    """
    query_params.reject_all(params)
    found = lookup.webhook(tx, webhook_id) if is_uuid(query_params.checked_id(webhook_id)) else None
    if found is None:
        by_provider_id = lookup.by_provider_id(tx, webhook_id)
        if len(by_provider_id) > 1:
            raise Ambiguous(webhook_id, [log_entries.webhook(row) for row in by_provider_id])
        found = lookup.webhook(tx, by_provider_id[0]["webhook_id"]) if by_provider_id else None
    return None if found is None else log_entries.webhook_detail(*found)


def order(tx: Connection, params: Parameters, order_id: str) -> Response | None:
    """Return an order's state, and its webhooks, outcomes, domain events and mails; None if the log has none."""
    query_params.reject_all(params)
    related = lookup.order(tx, query_params.checked_id(order_id))
    state = lookup.order_state(tx, order_id)
    is_known = state or related.webhooks or related.events or related.mails
    return log_entries.order(order_id, related) | order_state.view(state) if is_known else None


def why(tx: Connection, params: Parameters, order_id: str, field: str) -> Response | None:
    """Return the webhook that set a field of an order's state, and those that stated the field and lost.

    None if no state of the order was published. Raises BadParameter for a field that is not in `field_origin.FIELDS`.
    """
    query_params.reject_all(params)
    if field not in field_origin.FIELDS:
        raise BadParameter(f"the field must be one of {', '.join(field_origin.FIELDS)}")
    state = lookup.order_state(tx, query_params.checked_id(order_id))
    if state is None:
        return None
    return field_origin_view.origin(order_id, field, state, field_origin.find(tx, order_id, field, state))


def balance(tx: Connection, params: Parameters, customer_id: str) -> Response:
    """Return a customer's balance by currency; an empty list for an unknown customer."""
    query_params.reject_all(params)
    return log_entries.balance(customer_id, lookup.balances(tx, query_params.checked_id(customer_id)))


def customer_orders(tx: Connection, params: Parameters, customer: str) -> Response:
    """Return the orders of a customer, given by e-mail address or customer id, the earliest first; none if unknown."""
    query_params.reject_all(params)
    return log_entries.customer_orders(customer, customers.find(tx, query_params.checked_id(customer)))


def refusals(tx: Connection, params: Parameters) -> Response:
    """Return a page of the refused requests, newest first; `next` is the cursor of the next page, or None."""
    criteria, page = query_params.of_refusals(params)
    return log_entries.refusals_page(lookup.refusals(tx, criteria, page), page.limit)


def actions_(tx: Connection, params: Parameters) -> Response:
    """Return the latest `actions.MAX_ROWS` actions that match `user`, `action`, `target`, `from` and `to`."""
    values = query_params.texts(params, {*actions.FILTERS, "from", "to"})
    return {"actions": [action(row) for row in actions.select(tx, values, query_params.received(values))]}


def issues_(tx: Connection, params: Parameters) -> Response:
    """Return the issues with the latest death first, of one `state` or `service` if it is given.

    `counts` has the number of issues in each state (of the service, if it is given), whatever `state` is. Raises
    BadParameter for an unknown state.
    """
    values = query_params.texts(params, {"state", "service"})
    wanted = values.get("state")
    if wanted not in (None, *STATES):
        raise BadParameter(f"state must be one of {', '.join(STATES)}")
    found = issues.select(tx, values.get("service"))
    shown = [with_iso_times(issue) for issue in found if wanted in (None, issue["state"])]
    return {"issues": shown, "counts": issues.counts(found)}


def issue(tx: Connection, params: Parameters, issue_id: str) -> Response | None:
    """Return one issue with at most `issues.MAX_EVENTS` events, the dead ones first; None if no issue has this id."""
    query_params.reject_all(params)
    found = issues.by_id(tx, issue_id) if is_uuid(query_params.checked_id(issue_id)) else None
    events = map(with_iso_times, issues.events(tx, issue_id)) if found else ()
    return found and {**with_iso_times(found), "eventList": list(events)}


def labels(_: Connection, params: Parameters) -> Response:
    """Return the Korean and English labels of types, statuses and providers."""
    query_params.reject_all(params)
    return dict(LABELS)


def described(_: Connection, params: Parameters) -> Response:
    """Return the OpenAPI document."""
    query_params.reject_all(params)
    return openapi.document(ENDPOINTS)


ENDPOINTS: dict[str, Endpoint] = {
    "/api/statistics": statistics_,
    "/api/statistics/daily": daily_statistics,
    "/api/webhooks": webhooks,
    "/api/webhooks/{webhook_id:str}": webhook,
    "/api/orders/{order_id:str}": order,
    "/api/orders/{order_id:str}/why/{field:str}": why,
    "/api/customers/{customer_id:str}/balance": balance,
    "/api/customers/{customer:str}/orders": customer_orders,
    "/api/refusals": refusals,
    "/api/actions": actions_,
    "/api/issues": issues_,
    "/api/issues/{issue_id:str}": issue,
    "/api/labels": labels,
    "/api/openapi.json": described,
}
