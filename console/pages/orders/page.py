"""The pages of orders: the newest orders, one order with everything about it, and the origin of a field."""

import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from console.api import query_params
from console.api.views import field_origin as field_origin_view
from console.api.views import order_state
from console.pages import address_advice, event_actions
from console.pages.orders import lifeline, refused
from console.pages.orders.by_query import by_query
from console.pages.orders.lifeline import OpenEvent
from console.queries import field_origin, lookup
from console.queries.criteria import RefusalFilter
from console.queries.criteria import RowPage as Slice
from console.web.page import Page, PageRequest
from console.web.rendering.paths import ORDER
from evidence.archive import MAX_REASON_CHARS
from runtime.clients.management_client import ServiceRefused, ServiceUnreachable
from runtime.clock import EPOCH
from runtime.json_value import JsonValue

MAX_REFUSALS = 50
MAX_ASKED = 10
"""The most retrying events about whose next try their services are asked."""
AMOUNTS = ("paid_amount", "refunded_amount")
NEWEST = """
SELECT order_id, max(received_at) AS at, count(*) AS webhooks,
       (array_agg(event_type ORDER BY received_at DESC))[1] AS event_type,
       (array_agg(provider ORDER BY received_at DESC))[1] AS provider,
       array_agg(DISTINCT status) AS statuses
  FROM (SELECT order_id, received_at, event_type, provider, status FROM webhooks
         WHERE received_at IS NOT NULL AND order_id IS NOT NULL
         ORDER BY received_at DESC, webhook_id DESC LIMIT 400) AS newest
 GROUP BY order_id ORDER BY at DESC LIMIT 100
"""


def newest(tx: Connection, _: PageRequest) -> Mapping[str, JsonValue]:
    """Return the orders of the newest 400 webhooks, the latest first, at most 100."""
    return {"orders": lookup.rows(tx, NEWEST, {})}


def order(tx: Connection, request: PageRequest) -> Mapping[str, JsonValue] | None:
    """Return an order's state, timeline, open events and unsent mails; None if neither the log nor a refusal names it.

    Rolls the transaction back before services are called.
    """
    order_id = query_params.checked_id(request.ids[0])
    related = lookup.order(tx, order_id)
    refusals = lookup.refusals(tx, RefusalFilter(order=order_id), Slice(MAX_REFUSALS))
    state = lookup.order_state(tx, order_id)
    if not (state or related.webhooks or related.events or related.mails or refusals):
        return None
    tx.rollback()  # no transaction stays open while services are asked
    mails, unusable, unasked = _unsent(request, order_id)
    open_events = lifeline.open_events(related)
    return {
        "order_id": order_id,
        "customers": sorted({row["customer_id"] for row in (*related.webhooks, *related.events) if row["customer_id"]}),
        "state": state,
        "fields": []
        if state is None
        else [(name, state[name]) for name in field_origin.FIELDS if state[name] is not None],
        "times": order_state.TIMES,
        "amounts": AMOUNTS,
        "newest": lifeline.newest_events(related),
        "moments": lifeline.moments(related, refusals),
        "open_events": open_events,
        "next_tries": _next_tries(request, open_events),
        "refused": refused.since_accepted(refusals, related.webhooks, MAX_REFUSALS),
        "is_unproved": not related.webhooks and not related.events,
        "not_posted": bool(related.webhooks or related.events) and lifeline.lacks_address(order_id, related),
        "unsent": mails,
        "advice": address_advice.of_all(mails),
        "unusable": unusable,
        "unasked": unasked,
        "evidence": f"hookstream evidence {shlex.quote(order_id)}",
        "longest": MAX_REASON_CHARS,
        "redriven": event_actions.REDRIVE,
        "retried": event_actions.RETRY,
    }


def why(tx: Connection, request: PageRequest) -> Mapping[str, JsonValue] | None:
    """Return which webhook set a field of an order's state, which ones lost, and why.

    None for an unknown field, or if no state of the order was published.
    """
    order_id, field = request.ids
    if field not in field_origin.FIELDS:
        return None
    state = lookup.order_state(tx, query_params.checked_id(order_id))
    if state is None:
        return None
    origin = field_origin_view.origin(order_id, field, state, field_origin.find(tx, order_id, field, state))
    return {"order_id": order_id, "field": field, "origin": origin, "amounts": AMOUNTS}


def _unsent(request: PageRequest, order_id: str) -> tuple[list[JsonValue], list[JsonValue], str]:
    """Return the order's mails that are not sent, its unusable addresses, and why the notifier could not be asked."""
    if "notifier" not in request.services.names:
        return [], [], ""
    try:
        answer = request.services.get("notifier", "/mails", order=order_id)
    except (ServiceRefused, ServiceUnreachable) as failure:
        return [], [], str(failure)
    return answer["mails"], answer["unusable_contacts"], ""


def _next_tries(request: PageRequest, open_events: Sequence[OpenEvent]) -> defaultdict[tuple[str, str], int | None]:
    """Return by service and event id when retrying events are tried next (microseconds since 1970 UTC).

    None where it is not known: for events after the first MAX_ASKED, and if a service does not answer.
    """
    found = defaultdict[tuple[str, str], int | None](lambda: None)
    for event in [event for event in open_events if event.outcome == "retrying"][:MAX_ASKED]:
        try:
            due = request.services.get(event.service, "/retry", id=event.event_id).get("nextAttemptAt")
        except ServiceRefused:
            continue
        except ServiceUnreachable:
            break
        if due:
            found[event.service, event.event_id] = (datetime.fromisoformat(due) - EPOCH) // timedelta(microseconds=1)
    return found


PAGES = (
    Page("/orders", "orders.html", newest, "orders"),
    Page("/orders/{order_id:str}", "order.html", order, "orders"),
    Page("/orders/{order_id:str}/why/{field:str}", "why.html", why, "orders"),
    Page(ORDER, "order.html", by_query(order), "orders"),
    Page(f"{ORDER}/why/{{field:str}}", "why.html", by_query(why), "orders"),
)
