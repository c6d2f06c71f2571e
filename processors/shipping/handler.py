"""The shipping processor's handler: in one transaction, lock the parcels, apply the scans, save."""

from collections.abc import Sequence

from sqlalchemy import Connection

from processors.shipping import store
from processors.shipping.domain import apply
from stream.events import ShippingWebhook, topics
from stream.state.fold import Result, fold_into

key = topics.SHIPPING_WEBHOOKS.key
"""Return the id of a webhook's parcel, which is also the key of its record."""


def handle(tx: Connection, webhooks: Sequence[ShippingWebhook]) -> list[Result]:
    """Apply new webhooks in order, save parcels and history, and return one result each. The caller commits `tx`."""
    shipments = store.lock(tx, {key(webhook) for webhook in webhooks})
    results = fold_into(shipments, webhooks, key, apply)
    store.save(tx, shipments.values(), last_webhooks={key(webhook): webhook for webhook in webhooks})
    store.record(tx, zip(webhooks, results, strict=True))
    return results
