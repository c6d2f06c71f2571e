"""The page Search: one box for everything that a person may know of an order or a webhook."""

from collections.abc import Mapping

from sqlalchemy import Connection

from console.api.query_params import MAX_LENGTH
from console.queries import finder
from console.queries.criteria import BadParameter
from console.web.page import Page, PageRequest, Redirect
from console.web.rendering.paths import order_path
from providers.parsing.fields import HIDDEN
from runtime.json_value import JsonValue


def view(tx: Connection, request: PageRequest) -> Mapping[str, JsonValue]:
    """Return what the query's `q` finds; `found` is None without a text.

    Raises Redirect to the page of an order if `q` is its id and nothing else was found, and BadParameter for a text
    that is too long or not printable.
    """
    text = request.query.get("q", "").strip()
    if len(text) > MAX_LENGTH or HIDDEN.search(text):
        raise BadParameter(f"q must be printable and no longer than {MAX_LENGTH} characters")
    if not text:
        return {"text": "", "found": None}
    found = finder.find(tx, text)
    if found.orders == [text] and {row["order_id"] for row in found.webhooks} <= {text} and not found.too_common:
        raise Redirect(order_path(text))
    is_customer = "@" in text or any(row["customer_id"] == text for row in found.webhooks)
    return {"text": text, "found": found, "is_customer": is_customer}


PAGES = (Page("/search", "search.html", view, "search", fragment="_found.html"),)
