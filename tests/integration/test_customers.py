"""Whose orders they are: by the customer's address or id, on the console's own store."""

import json
from typing import Any

import msgspec
from sqlalchemy import Engine

from console.handler import handle
from console.queries import customers
from stream.events import CustomerPayload, CustomerWebhook, Record
from tests.builders import NOON, an_envelope, an_order
from tests.integration.test_console_counts import log_store

__all__ = ["log_store"]
KIM = "kim@example.test"


def posted(webhook: Any, **body: Any) -> Record:
    """The webhook, received with this body."""
    raw = json.dumps(body, ensure_ascii=False).encode()
    envelope = msgspec.structs.replace(webhook.envelope, raw=raw)
    record: Record = msgspec.structs.replace(webhook, envelope=envelope)
    return record


def order(order_id: str, at: int, customer_id: str | None = None, **body: Any) -> Record:
    webhook = an_order(order=order_id, name=order_id, at=NOON + at, customer_id=customer_id)
    return posted(webhook, orderId=order_id, **({"customerId": customer_id} if customer_id else {}), **body)


def customer(customer_id: str, email: str) -> Record:
    payload = CustomerPayload(customer_id=customer_id, email=email)
    webhook = CustomerWebhook(envelope=an_envelope(payload, name=customer_id), payload=payload)
    return posted(webhook, customerId=customer_id, email=email)


def found(log_store: Engine, name: str) -> list[str]:
    with log_store.connect() as tx:
        return [row["order_id"] for row in customers.find(tx, name).orders]


def test_orders_are_the_customers_by_address_by_id_and_by_the_id_of_the_address(log_store: Engine) -> None:
    with log_store.begin() as tx:
        handle(
            tx,
            [
                order("by-address", 1, customerEmail="KIM@example.test", customerName="김민지"),
                order("by-id", 2, customer_id="C-1"),
                order("as-seller", 3, customerEmail="lee@example.test", sellerEmail=KIM),
                order("of-another-kim", 4, customerEmail="other@example.test", customerName="김민지"),
                customer("C-1", KIM),
            ],
        )

    assert sorted(found(log_store, KIM)) == ["by-address", "by-id"]
    assert found(log_store, "C-1") == ["by-id"]
    assert found(log_store, "김민지") == []
    assert found(log_store, "nobody@example.test") == []


def test_more_orders_than_the_limit_are_said_to_be_incomplete(log_store: Engine) -> None:
    with log_store.begin() as tx:
        handle(
            tx, [order(f"many-{number:04}", number, customer_id="C-9") for number in range(customers.MAX_ORDERS + 1)]
        )

    with log_store.connect() as tx:
        customer_ = customers.find(tx, "C-9")

    assert (len(customer_.orders), customer_.is_complete) == (customers.MAX_ORDERS, False)
