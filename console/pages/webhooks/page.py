"""The pages of webhooks: the log with its filters, and one webhook."""

import shlex
from collections.abc import Mapping
from urllib.parse import urlencode

from sqlalchemy import Connection

from console.api import query_params
from console.domain import STATUSES
from console.labels import PROVIDERS
from console.pages import event_actions
from console.pages.orders import lifeline
from console.queries import lookup, search
from console.queries.criteria import is_uuid
from console.queries.lookup import Row
from console.web.page import Page, PageRequest, Redirect
from runtime.json_value import JsonValue
from stream.events.text.redaction import MASK, redacted

LIMIT = 50
FILTERS = ("provider", "status", "type", "order", "from", "to")


def log(tx: Connection, request: PageRequest) -> Mapping[str, JsonValue]:
    """Return a page of the log, newest first, and the link to the next page: empty on the last. Raises BadParameter."""
    given = {name: value for name, value in request.query.items() if value.strip()}
    criteria, page = query_params.of_webhooks({name: [value] for name, value in {**given, "limit": str(LIMIT)}.items()})
    found = search.webhooks(tx, criteria, page)
    shown, more = found[:LIMIT], len(found) > LIMIT
    following = ""
    if more:
        after = query_params.cursor((shown[-1]["received_at"], shown[-1]["webhook_id"]))
        following = f"/webhooks?{urlencode({**given, 'cursor': after})}"
    return {
        "webhooks": shown,
        "following": following,
        "filters": {name: request.query.get(name, "") for name in FILTERS},
        "providers": [name for name in PROVIDERS if name not in ("ALL", "UNKNOWN")],
        "statuses": STATUSES,
    }


def webhook(tx: Connection, request: PageRequest) -> Mapping[str, JsonValue] | None:
    """Return one webhook by our id; None if there is none.

    For a provider's id, raises Redirect: to the webhook, or to the search if several webhooks have the id.
    """
    name = query_params.checked_id(request.ids[0])
    found = lookup.webhook(tx, name) if is_uuid(name) else None
    if found is None:
        others = lookup.by_provider_id(tx, name)
        if not others:
            return None
        alone = len(others) == 1
        raise Redirect(f"/webhooks/{others[0]['webhook_id']}" if alone else f"/search?{urlencode({'q': name})}")
    row, related = found
    return {
        "webhook": row,
        "related": related.webhooks[1:],
        "services": by_service(row["webhook_id"], related.outcomes),
        "events": related.events,
        "mails": related.mails,
        "open_events": [event for event in lifeline.open_events(related) if event.event_id == row["webhook_id"]],
        "moments": lifeline.moments(related),
        "payload": None if row["payload"] is None else redacted(row["payload"]),
        "curl": curl(row, masked=not request.viewer.may("auditor")),
        "redriven": event_actions.REDRIVE,
        "retried": event_actions.RETRY,
    }


def by_service(webhook_id: str, outcomes: list[Row]) -> dict[str, list[Row]]:
    """Return the rows of this webhook's outcomes by service, in order; those of its domain events are left out."""
    services: dict[str, list[Row]] = {}
    for row in outcomes:
        if row["event_id"] == webhook_id:
            services.setdefault(row["service"], []).append(row)
    return services


def curl(row: Row, *, masked: bool) -> str:
    """Return a shell command that posts the webhook again to $GATEWAY_URL, with its bytes in the downloaded file.

    It sends the stored headers; a content type that is not stored is guessed from the bytes. `masked` hides the values
    of all headers but the content type. Empty for a webhook without a payload or path.
    """
    if row["payload"] is None or not row["path"]:
        return ""
    body: bytes = row["payload"]
    kind = "application/json" if body.lstrip()[:1] in (b"{", b"[") else "application/x-www-form-urlencoded"
    headers = {"content-type": kind, **(row["headers"] or {})}
    shown = {name: MASK if masked and name != "content-type" else value for name, value in headers.items()}
    lines = [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in shown.items()]
    file = f"--data-binary @{file_name(row)}"
    return " \\\n  ".join([f'curl -i "$GATEWAY_URL"{shlex.quote(row["path"])}', *lines, file])


def file_name(row: Row) -> str:
    """Return the name under which a webhook's bytes are downloaded."""
    return f"webhook-{row['webhook_id']}.bin"


PAGES = (
    Page("/webhooks", "webhooks.html", log, "webhooks"),
    Page("/webhooks/{webhook_id:str}", "webhook.html", webhook, "webhooks"),
)
