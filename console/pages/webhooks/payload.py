"""Actions that show a webhook's payload as it was received. They need the role auditor, and are recorded."""

import msgspec
from sqlalchemy import Connection

from console.pages.webhooks.page import file_name
from console.queries import lookup
from console.queries.criteria import is_uuid
from console.queries.lookup import Row
from console.web.page import Action, ActionRefused, Download, PageRequest, Shown

MAX_TEXT_CHARS = 1_000_000
"""The most characters that are shown of a payload that is not JSON."""


def unmask(tx: Connection, request: PageRequest) -> Shown:
    """Show the payload without masks. Raises ActionRefused if the log has no payload of this webhook."""
    row = _row(tx, request)
    try:
        payload = msgspec.json.decode(row["payload"])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        payload = row["payload"].decode(errors="replace")[:MAX_TEXT_CHARS]
    return Shown("unmasked.html", {"webhook": row, "payload": payload}, "webhooks")


def download(tx: Connection, request: PageRequest) -> Download:
    """Return the bytes of the payload as they were received.

    Raises ActionRefused if the log has none of this webhook.
    """
    row = _row(tx, request)
    return Download(file_name(row), row["payload"])


def _row(tx: Connection, request: PageRequest) -> Row:
    found = lookup.webhook(tx, request.ids[0]) if is_uuid(request.ids[0]) else None
    if found is None or found[0]["payload"] is None:
        raise ActionRefused("webhook.no_payload")
    return found[0]


ACTIONS = (
    Action("/webhooks/{webhook_id:str}/unmask", "webhook.unmask", "auditor", unmask),
    Action("/webhooks/{webhook_id:str}/raw", "webhook.download", "auditor", download),
)
