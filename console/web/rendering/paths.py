"""The paths of orders. Pure."""

from urllib.parse import quote

ORDER = "/order"
"""The path of an order whose id is in the query."""


def order_path(order_id: str, below: str = "") -> str:
    """Return the path of an order's page, or of what is `below` it, such as `/evidence`.

    Clients remove the segments `.` and `..` from a path, escaped too (RFC 3986, 5.2.4), so these ids are in the query.
    """
    if order_id in {".", ".."}:
        return f"{ORDER}{below}?id={order_id}"
    return f"/orders/{quote(order_id, safe='')}{below}"
