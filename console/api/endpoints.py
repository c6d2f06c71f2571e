"""What can be asked of the console, each question one function: its parameters in, its answer as JSON out."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from console.api import queries, query_params, search, statistics, views
from console.api.labels import LABELS, provider_word
from console.api.query_params import Parameters

Answer = dict[str, Any]
Question = Callable[..., Answer | None]
"""Takes the store, the query's parameters and the ids of the path; None when there is no such thing.

Raises BadParameter.
"""


class Ambiguous(ValueError):
    """A provider's id that names several webhooks; they are `webhooks`, the newest first."""

    def __init__(self, name: str, webhooks: list[Answer]) -> None:
        super().__init__(f"{name} names {len(webhooks)} webhooks; ask for one of them by its webhookId")
        self.webhooks = webhooks


def statistics_(tx: Connection, given: Parameters) -> Answer:
    """Contract E's statistics of a range and a provider."""
    wanted = query_params.of_statistics(given)
    word = provider_word(wanted.provider) if wanted.provider else statistics.ALL
    return statistics.statistics(word, search.counted(tx, wanted))


def webhooks(tx: Connection, given: Parameters) -> Answer:
    """A page of the log."""
    wanted, page = query_params.of_webhooks(given)
    return views.page(search.webhooks(tx, wanted, page), page.limit)


def webhook(tx: Connection, given: Parameters, name: str) -> Answer | None:
    """One webhook's life, by its id of ours or of its provider's.

    Raises Ambiguous when its provider's id names several.
    """
    query_params.nothing(given)
    found = queries.webhook(tx, name) if query_params.is_uuid(query_params.name(name)) else None
    if found is None:
        named = queries.named(tx, name)
        if len(named) > 1:
            raise Ambiguous(name, [views.webhook(row) for row in named])
        found = queries.webhook(tx, named[0]["webhook_id"]) if named else None
    return None if found is None else views.life(*found)


def order(tx: Connection, given: Parameters, order_id: str) -> Answer | None:
    """One order's life."""
    query_params.nothing(given)
    story = queries.order(tx, query_params.name(order_id))
    return views.order(order_id, story) if story.webhooks or story.facts or story.mails else None


def balance(tx: Connection, given: Parameters, customer_id: str) -> Answer:
    """What a customer has."""
    query_params.nothing(given)
    return views.balance(customer_id, queries.balances(tx, query_params.name(customer_id)))


def refusals(tx: Connection, given: Parameters) -> Answer:
    """The newest refused requests."""
    wanted, limit = query_params.of_refusals(given)
    return {"refusals": [views.refusal(row) for row in queries.refusals(tx, wanted, limit)]}


def labels(_: Connection, given: Parameters) -> Answer:
    """The words for people."""
    query_params.nothing(given)
    return dict(LABELS)


QUESTIONS: dict[str, Question] = {
    "/api/statistics": statistics_,
    "/api/webhooks": webhooks,
    "/api/webhooks/{webhook_id:str}": webhook,
    "/api/orders/{order_id:str}": order,
    "/api/customers/{customer_id:str}/balance": balance,
    "/api/refusals": refusals,
    "/api/labels": labels,
}
