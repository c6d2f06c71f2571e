"""Applies a batch of records to the log in one transaction: the handler of the console's worker."""

from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from console import amounts
from console.domain import is_of_a_webhook, webhook_state
from console.issues import store as issues
from console.store import record_store, webhook_store
from stream.events import (
    ConsoleAction,
    CreditAdded,
    DomainEvent,
    NotificationSent,
    OrderStatus,
    Outcome,
    QuarantinedWebhook,
    Record,
    RejectedWebhook,
    Webhook,
)
from stream.state.fold import Result

R = TypeVar("R", bound=Record)


def handle(tx: Connection, events: Sequence[Record]) -> list[Result]:
    """Write new records to the log, then derive the states of their webhooks and issues again.

    Return a result `processed` for each record; the caller commits. The log does not depend on the order of records.
    """
    webhooks, quarantined, outcomes = _of(Webhook, events), _of(QuarantinedWebhook, events), _of(Outcome, events)  # type: ignore[type-abstract,unused-ignore]
    requests = {
        webhook.envelope.verification_request_id: webhook.envelope.event_id
        for webhook in webhooks
        if webhook.envelope.verification_request_id
    }
    domain_events = [event for event in _of(DomainEvent, events) if not isinstance(event, OrderStatus)]
    webhook_ids = {*_webhook_ids(webhooks, quarantined, outcomes), *requests}
    webhook_store.upsert_webhooks(tx, webhook_ids, webhooks, quarantined)
    webhook_store.mark_confirmed(tx, requests)
    webhook_store.insert_outcomes(tx, outcomes)
    _update_states(tx, webhook_ids)
    issues.update(tx, [(outcome.event_id, outcome.outcome == "dead") for outcome in outcomes])
    record_store.insert_events(tx, domain_events)
    record_store.upsert_orders(tx, _of(OrderStatus, events))
    record_store.insert_mails(tx, _of(NotificationSent, events))
    refused = _of(RejectedWebhook, events)
    record_store.insert_refusals(tx, refused)
    record_store.insert_terms(tx, [*webhooks, *quarantined, *refused])
    record_store.insert_actions(tx, _of(ConsoleAction, events))
    record_store.raise_balances(tx, _of(CreditAdded, events))
    amounts.add(tx, domain_events, webhooks)
    return [Result("", "processed", ()) for _ in events]


def _update_states(tx: Connection, webhook_ids: Collection[str]) -> None:
    if webhook_ids:
        states = {
            webhook_id: webhook_state(
                webhook_id,
                stored.reports,
                quarantined_because=stored.quarantined_because,
                confirmed=stored.is_confirmed,
            )
            for webhook_id, stored in webhook_store.read(tx, webhook_ids).items()
        }
        webhook_store.update_states(tx, states)


def _webhook_ids(
    webhooks: Iterable[Webhook], quarantined: Iterable[QuarantinedWebhook], outcomes: Iterable[Outcome]
) -> Iterable[str]:
    yield from (webhook.envelope.event_id for webhook in webhooks)
    yield from (webhook.event_id for webhook in quarantined)
    yield from (outcome.event_id for outcome in outcomes if is_of_a_webhook(outcome.topic))


def _of(kind: type[R], events: Iterable[Record]) -> list[R]:
    return [event for event in events if isinstance(event, kind)]
