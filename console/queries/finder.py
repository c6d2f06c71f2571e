"""Finds orders, webhooks, mails and refused requests by an id, or by a value of their bodies. It only reads."""

from dataclasses import dataclass

from sqlalchemy import Connection

from console import terms
from console.queries import lookup
from console.queries.criteria import is_uuid
from console.queries.lookup import Row, rows
from providers import catalogue

MOST = 100
"""The most webhooks, mails and refused requests that a search returns of each."""
MOST_BY_TERM = 300
"""The most bodies that are compared with the query; further ones are left out."""
# Each way to a webhook is a query of its own, by its own index.
WEBHOOKS = f"""
WITH named AS MATERIALIZED (
    (SELECT webhook_id FROM webhooks WHERE webhook_id = %(uuid)s::uuid OR verification_request_id = %(uuid)s::uuid)
     UNION (SELECT webhook_id FROM webhooks WHERE order_id = %(text)s LIMIT %(most)s)
     UNION (SELECT webhook_id FROM webhooks WHERE provider_event_id = %(text)s LIMIT %(most)s)
     UNION (SELECT webhook_id FROM webhooks WHERE provider_ids @> ARRAY[%(text)s::text] LIMIT %(most)s)
     UNION (SELECT webhook_id FROM webhooks WHERE aliases && %(aliases)b::text[] LIMIT %(most)s)
     UNION (SELECT unnest(%(found)b::text[]::uuid[])))
SELECT {lookup.COLUMNS} FROM named JOIN webhooks USING (webhook_id)
 WHERE received_at IS NOT NULL ORDER BY received_at DESC, webhook_id LIMIT %(most)s
"""  # noqa: S608 - put together from constants
BY_TERM = """
SELECT subject::text, payload FROM (
    SELECT subject FROM search_terms WHERE terms && %(terms)s::int[] AND NOT is_refusal LIMIT %(most)s) AS hits
  JOIN webhooks ON webhook_id = subject
"""
REFUSED_BY_TERM = """
SELECT subject::text, excerpt FROM (
    SELECT subject FROM search_terms WHERE terms && %(terms)s::int[] AND is_refusal LIMIT %(most)s) AS hits
  JOIN refusals ON refusal_id = subject
"""
EVENT_ORDERS = """
SELECT order_id FROM domain_events WHERE event_id = %(uuid)s::uuid AND order_id IS NOT NULL
 UNION (SELECT order_id FROM domain_events WHERE order_id = %(text)s LIMIT 1)
 UNION (SELECT order_id FROM mails WHERE order_id = %(text)s LIMIT 1)
"""
MAILS = """
SELECT notification_id::text, event_id, event_type, audience, channel, order_id, customer_id, locale, message_id,
       sent_at
  FROM mails WHERE notification_id = %(uuid)s::uuid OR order_id = ANY (%(orders)b::text[])
 ORDER BY sent_at DESC LIMIT %(most)s
"""
REFUSALS = """
WITH named AS MATERIALIZED (
    (SELECT refusal_id FROM refusals WHERE order_ids @> ARRAY[%(text)s::text] LIMIT %(most)s)
     UNION (SELECT unnest(%(found)b::text[]::uuid[])))
SELECT refusal_id::text, provider, path, cause, order_ids, received_at FROM named JOIN refusals USING (refusal_id)
 ORDER BY received_at DESC LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Found:
    """The results of a search: order ids with the newest webhook first, webhooks, mails and refused requests.

    The mails are those with the id, and those of the first 20 orders.
    """

    orders: list[str]
    webhooks: list[Row]
    mails: list[Row]
    refusals: list[Row]
    too_common: bool
    """True if the text is in so many bodies, or names so many webhooks, that some may be left out."""

    def __bool__(self) -> bool:
        return bool(self.orders or self.webhooks or self.mails or self.refusals)


def find(tx: Connection, text: str) -> Found:
    """Return the results of a search for an id, a tracking number, a value of a body, or `path=value`.

    The id may be of an order, a webhook (ours or the provider's), an event, a mail, or an alias. The result is false if
    nothing was found.
    """
    uuid = text.lower() if is_uuid(text) else None
    values = {"text": text, "uuid": uuid, "most": MOST}
    hits, refused_hits = _by_term(tx, BY_TERM, text), _by_term(tx, REFUSED_BY_TERM, text)
    aliases = [f"{name}:{text}" for name in catalogue.BY_NAME]
    found = [subject for subject, body in hits if terms.matches(body, text)]
    webhooks = rows(tx, WEBHOOKS, {**values, "aliases": aliases, "found": found})
    orders = dict.fromkeys(row["order_id"] for row in webhooks if row["order_id"])
    orders |= dict.fromkeys(tx.exec_driver_sql(EVENT_ORDERS, values).scalars())
    refused = [subject for subject, body in refused_hits if terms.matches(body, text)]
    return Found(
        list(orders),
        webhooks,
        rows(tx, MAILS, {**values, "orders": list(orders)[:20]}),
        rows(tx, REFUSALS, {**values, "found": refused}),
        too_common=max(len(hits), len(refused_hits)) >= MOST_BY_TERM or len(webhooks) >= MOST,
    )


def _by_term(tx: Connection, statement: str, text: str) -> list[tuple[str, bytes]]:
    values = {"terms": terms.of_query(text), "most": MOST_BY_TERM}
    return [(subject, body or b"") for subject, body in tx.exec_driver_sql(statement, values)]
