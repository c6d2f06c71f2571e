"""One transaction of the console: write down what came, then where each webhook stands that it concerns."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from console import store
from console.domain import is_of_a_webhook, standing
from stream.events import (
    CreditAdded,
    DomainEvent,
    NotificationSent,
    Outcome,
    QuarantinedWebhook,
    Record,
    RejectedWebhook,
    Webhook,
    topics,
)
from stream.state.fold import Result

TOPICS = topics.READ_BY["console"]
R = TypeVar("R", bound=Record)


def handle(tx: Connection, events: Sequence[Record]) -> list[Result]:
    """Apply new records, in any order."""
    webhooks, aside, outcomes = _of(Webhook, events), _of(QuarantinedWebhook, events), _of(Outcome, events)  # type: ignore[type-abstract,unused-ignore]
    receipts = {one.envelope.receipt_id: one.envelope.event_id for one in webhooks if one.envelope.receipt_id}
    touched = sorted({*_names(webhooks, aside, outcomes), *receipts})
    store.describe(tx, touched, webhooks, aside)
    store.confirm(tx, receipts)
    store.keep_outcomes(tx, outcomes)
    _settle(tx, touched)
    store.keep_facts(tx, _of(DomainEvent, events))
    store.keep_mails(tx, _of(NotificationSent, events))
    store.keep_refusals(tx, _of(RejectedWebhook, events))
    store.raise_balances(tx, _of(CreditAdded, events))
    return [Result("", "processed", ()) for _ in events]


def _settle(tx: Connection, webhook_ids: Sequence[str]) -> None:
    if webhook_ids:
        standings = {
            name: standing(name, held.said, aside=held.aside, confirmed=held.is_confirmed)
            for name, held in store.held(tx, webhook_ids).items()
        }
        store.settle(tx, standings)


def _names(
    webhooks: Iterable[Webhook], aside: Iterable[QuarantinedWebhook], outcomes: Iterable[Outcome]
) -> Iterable[str]:
    yield from (webhook.envelope.event_id for webhook in webhooks)
    yield from (kept.event_id for kept in aside)
    yield from (outcome.event_id for outcome in outcomes if is_of_a_webhook(outcome.topic))


def _of(kind: type[R], events: Iterable[Record]) -> list[R]:
    return [event for event in events if isinstance(event, kind)]
