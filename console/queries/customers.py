"""Finds the orders of one customer, by e-mail address or customer id, in the bodies of webhooks. It only reads."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from console import terms
from console.queries.lookup import Row, rows

MOST = 2000
"""The most bodies that are compared with a name; further ones are left out."""
MAX_ORDERS = 500
OF_OTHERS = ("seller", "merchant", "vendor", "supplier", "partner", "store", "shop", "operator", "manager")
"""Words in the path of a value that is not of the customer."""
BATCH = 100
"""The bodies that are in memory at once."""
BY_TERM = """
SELECT subject::text FROM search_terms WHERE terms && %(terms)s::int[] AND NOT is_refusal LIMIT %(most)s
"""
WEBHOOKS = """
SELECT payload, order_id, customer_id FROM webhooks WHERE webhook_id = ANY (%(ids)b::text[]::uuid[])
"""
ORDERS = """
SELECT order_id, min(received_at) AS first_at, max(received_at) AS last_at, count(*) AS webhooks
  FROM webhooks WHERE order_id = ANY (%(orders)b::text[]) AND received_at IS NOT NULL
 GROUP BY order_id ORDER BY first_at, order_id LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer's ids, and the orders, each with the times of its first and last webhook and their number.

    `is_complete` is False if so many bodies have the name, or there are so many orders, that some are left out.
    """

    ids: list[str]
    orders: list[Row]
    is_complete: bool


def find(tx: Connection, name: str) -> Customer:
    """Return the customer with this e-mail address or customer id; without orders if the log has none.

    An order is the customer's if a webhook of it names the customer by this address (not as the seller's or the
    shop's), by this id, or by an id that a webhook states together with this address. Names of people are no key: two
    people may have the same.
    """
    is_email = "@" in name
    of_name, complete = _webhooks(
        tx, name, lambda row: row["customer_id"] == name or (is_email and _is_customers(row["payload"] or b"", name))
    )
    ids = sorted({customer_id for _, customer_id in of_name if customer_id})
    orders = {order for order, _ in of_name if order}
    for customer_id in ids:
        of_id, all_of_id = _webhooks(tx, customer_id, lambda row, own=customer_id: row["customer_id"] == own)  # type: ignore[misc]
        complete = complete and all_of_id
        orders |= {order for order, _ in of_id if order}
    found = rows(tx, ORDERS, {"orders": sorted(orders), "most": MAX_ORDERS + 1})
    return Customer(ids, found[:MAX_ORDERS], complete and len(found) <= MAX_ORDERS)


def _webhooks(
    tx: Connection, name: str, wanted: Callable[[Row], bool]
) -> tuple[set[tuple[str | None, str | None]], bool]:
    """Return order and customer id of the wanted webhooks with this value, and whether these are all."""
    subjects = list(tx.exec_driver_sql(BY_TERM, {"terms": terms.of_query(name), "most": MOST}).scalars())
    found = set()
    for first in range(0, len(subjects), BATCH):
        batch = rows(tx, WEBHOOKS, {"ids": subjects[first : first + BATCH]})
        found |= {(row["order_id"], row["customer_id"]) for row in batch if wanted(row)}
    return found, len(subjects) < MOST


def _is_customers(body: bytes, name: str) -> bool:
    """Return whether a body has this value at a path that is not of another person."""
    return any(not any(word in path for word in OF_OTHERS) for path in terms.paths(body, name))
