"""The overview: what is wrong now, and how much was received."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from console.api import search
from console.api.query_params import Filter, Range
from console.domain import STATUSES
from console.web.page import Live, Page, PageRequest
from runtime.clock import DAY_US


def view(tx: Connection, request: PageRequest) -> Mapping[str, Any]:
    """Return the number of webhooks of the last day by status."""
    counted = search.counted(tx, Filter(received=Range(request.now - DAY_US, request.now)))
    return {"counts": {name: sum(row.count for row in counted if row.status == name) for name in STATUSES}}


PAGES = (Page("/", "overview.html", view, "overview"),)
LIVES = (Live("/live/overview", "_overview.html", view),)
