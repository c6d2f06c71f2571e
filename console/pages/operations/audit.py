"""Audit: every action in the console, by whom, on what, and what became of it."""

import json

from sqlalchemy import Connection

from console.api import query_params
from console.api.views import log_entries
from console.pages.operations import csv_file
from console.queries import actions
from console.web.page import Action, ActionResult, Page, PageRequest
from runtime.json_value import JsonValue

TONES = {"done": "good", "requested": "warn", "refused": "idle", "failed": "bad"}
COLUMNS = ("at", "user_name", "role", "action", "target", "parameters", "result", "detail", "action_id")


def view(tx: Connection, request: PageRequest) -> dict[str, JsonValue]:
    """Return the latest actions that match the filters of the query."""
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
    """Return the matching actions as CSV, at most MAX_EXPORTED."""
    values = {name: value for name, value in request.form.items() if value}
    found = actions.select(tx, values, query_params.received(values), actions.MAX_EXPORTED)
    rows = [[log_entries.iso(row["at"]) if name == "at" else _text(row[name]) for name in COLUMNS] for row in found]
    return csv_file.download("audit.csv", COLUMNS, rows)


def _text(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


PAGES = (Page("/audit", "audit.html", view, "audit"),)
ACTIONS = (Action("/audit/export", "audit.export", "auditor", export, lambda _: "audit.csv"),)
