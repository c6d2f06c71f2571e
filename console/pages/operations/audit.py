"""The page Audit: every action in the console, by whom, on what, and its result."""

import json
from urllib.parse import urlencode

from sqlalchemy import Connection

from console.api import query_params
from console.api.views import log_entries
from console.login import ended_sessions
from console.pages.operations import csv_file
from console.queries import actions
from console.web.page import Action, ActionRefused, ActionResult, Done, Page, PageRequest
from console.web.rendering import action_details
from console.web.rendering.texts import catalogue
from runtime.json_value import JsonValue

TONES = {"done": "good", "requested": "warn", "refused": "idle", "failed": "bad"}
COLUMNS = ("at", "user_name", "role", "action", "target", "parameters", "result", "detail", "action_id")


def view(tx: Connection, request: PageRequest) -> dict[str, JsonValue]:
    """Return the latest `actions.MAX_ROWS` actions that match the filters of the query."""
    values = {name: value for name, value in request.query.items() if value}
    within = query_params.received(values)
    return {
        "actions": actions.select(tx, values, within),
        "names": actions.names(tx),
        "filters": {name: values.get(name, "") for name in (*actions.FILTERS, "from", "to")},
        "most": actions.MAX_ROWS,
        "tones": TONES,
    }


def export(tx: Connection, request: PageRequest) -> ActionResult:
    """Return the actions that match the form's filters as CSV: the latest `actions.MAX_EXPORTED`.

    Details are sentences in English, whatever the reader's language: programs and other people read the file.
    """
    values = {name: value for name, value in request.form.items() if value}
    found = actions.select(tx, values, query_params.received(values), actions.MAX_EXPORTED)
    return csv_file.download("audit.csv", COLUMNS, [[_cell(name, row[name]) for name in COLUMNS] for row in found])


def end_sessions(tx: Connection, request: PageRequest) -> ActionResult:
    """End all sessions of the user that the form names, who may log in again.

    The change has a transaction of its own: that of an action is not committed. Raises ActionRefused without a name,
    and for a name that nobody who logs in can have.
    """
    user = _user(request)
    if not user:
        raise ActionRefused("audit.no_user")
    if not request.may_have_sessions(user):
        raise ActionRefused("audit.unknown_user", name=user)
    with tx.engine.begin() as own:
        ended_sessions.end_all(own, user, request.now // 1_000_000)
    return Done(f"/audit?{urlencode({'user': user})}", "audit.sessions_ended", {"name": user})


def _user(request: PageRequest) -> str:
    return request.form.get("user", "")


def _cell(name: str, value: JsonValue) -> JsonValue:
    match name:
        case "at":
            return log_entries.iso(value)
        case "detail":
            return action_details.text(catalogue(), "en", value)
        case "parameters":
            return json.dumps(value, ensure_ascii=False)
        case _:
            return value


PAGES = (Page("/audit", "audit.html", view, "audit"),)
ACTIONS = (
    Action("/audit/export", "audit.export", "auditor", export, lambda _: "audit.csv"),
    Action("/sessions/end", "sessions.end", "operator", end_sessions, _user),
)
