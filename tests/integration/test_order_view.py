"""One row for each order with what all services know of it, and why: from the webhook to the topic and the console."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from providers.stripe import webhook as stripe
from stream.events import topics
from tests.actors import Console, Shop, Store, new_order, until
from tests.contract.sender import sender
from tests.failing import hookstream
from tests.log import reading
from tests.replays import ask, until_handled
from tests.unit.providers.mutations import sample

NOON, LATER = "2026-02-03T12:00:00+09:00", "2026-02-03T13:00:00+09:00"


def known(console: Console, order: str, wanted: Callable[[Any], bool]) -> Any:
    """The console's order once its state is as wanted."""
    path = f"/api/orders/{quote(order, safe='')}"
    return console.wait_for(path, lambda body: body["state"] is not None and wanted(body["state"]))


def why(console: Console, order: str, field: str) -> Any:
    return console.ask(f"/api/orders/{quote(order, safe='')}/why/{field}").body


def test_an_order_with_a_slash_in_its_id_shows_its_state(system: dict[str, str], shop: Shop, console: Console) -> None:
    order = f"2026/{new_order()}"
    with reading(system, topics.ORDER_STATUS) as statuses:
        shop.post("payment", {"orderId": order, "status": "pending", "amount": 58000})
        shop.post("shipping", {"orderId": order, "status": "preparing"})
        shop.post("refund", {"orderId": order, "refundId": f"R-{order}", "status": "processing", "amount": 1000})
        state = known(console, order, lambda state: state["refund_status"] and state["shipping_status"])
        last = statuses.wait_for(lambda status: status.order_id == order and status.refund_status is not None)

    shown = hookstream(system, "order", order).stdout

    assert state["state"]["payment_status"] == "pending"
    assert state["state"]["paid_amount"] is None
    assert state["state"]["shipping_status"] == "preparing"
    assert (state["state"]["refund_status"], last.refund_status) == ("processing", "processing")
    assert list(state["state"]) == [
        "payment_status", "payment_method", "transaction_id", "paid_amount", "paid_at", "shipping_status",
        "tracking_number", "carrier", "last_location", "shipping_updated_at", "refund_status", "refunded_amount",
    ]  # fmt: skip
    assert shown.splitlines()[:2] == [f"order {order}", "  payment_status: pending"]


def test_an_order_nobody_knows_has_no_state_and_no_why(console: Console) -> None:
    assert console.ask(f"/api/orders/{new_order()}").status == 404
    assert console.ask(f"/api/orders/{new_order()}/why/paid_amount").status == 404


@pytest.mark.parametrize("field", ["version", "paid_amounts", "set_by", "order_id"])
def test_only_the_columns_have_a_why(field: str, console: Console) -> None:
    reply = console.ask(f"/api/orders/1/why/{field}")

    assert (reply.status, reply.body["error"]) == (400, "invalid_parameter")
    assert "paid_amount" in reply.body["message"]


def test_the_webhook_that_set_a_field_is_named_with_its_proof_and_the_ones_that_lost_with_their_reason(
    system: dict[str, str], shop: Shop, console: Console
) -> None:
    order = new_order()
    paid = {"orderId": order, "status": "completed", "amount": 58000, "paidAt": NOON}
    shop.post("payment", paid)
    shop.post(
        "payment", {"orderId": order, "status": "completed", "amount": 57000, "paidAt": "2026-02-03T11:00:00+09:00"}
    )
    shop.post("payment", {"orderId": order, "status": "pending", "amount": 56000, "paidAt": LATER})
    known(console, order, lambda state: state["payment_status"] == "completed")

    found = until(lambda: why(console, order, "paid_amount"), lambda body: len(body["lost"]) == 2)
    printed = hookstream(system, "why", order, "paid_amount").stdout

    body = json.dumps(paid, ensure_ascii=False).encode()
    assert (found["value"], found["currency"], found["setBy"]["stated"]) == (58000, "KRW", 58000)
    assert found["setBy"]["signature"] == shop.sign(body)
    assert (found["setBy"]["verification"], found["setBy"]["bytes"]["size"]) == ("signature", len(body))
    assert found["setBy"]["occurredAt"] == "2026-02-03T03:00:00Z"
    assert found["setBy"]["record"]["topic"] == topics.PAYMENT_WEBHOOKS.name
    assert {lost["stated"]: lost["reason"] for lost in found["lost"]} == {57000: "older", 56000: "lower_rank"}
    assert printed.startswith(
        f"paid_amount of order {order} is 58000 KRW\n  set by webhook {found['setBy']['webhookId']}"
    )
    assert "older: it is older by the provider's clock" in printed


def test_another_body_under_an_id_that_was_used_lost_by_that(system: dict[str, str], console: Console) -> None:
    order, sends = new_order(), sender(system, stripe.PROVIDER)
    for amount in (58000, 1):
        said = json.loads(sample("stripe", "checkout.session.completed"))
        said["id"] = f"evt_{order}"
        said["data"]["object"] |= {"metadata": {"order_id": order}, "amount_total": amount, "currency": "krw"}
        sends.post("/api/webhooks/stripe", json.dumps(said).encode())
        known(console, order, lambda state: state["paid_amount"] == 58000)

    found = until(
        lambda: why(console, order, "paid_amount"),
        lambda body: any(entry["reason"] == "conflict" for entry in body["lost"]),
    )

    (lost,) = [entry for entry in found["lost"] if entry["reason"] == "conflict"]
    assert found["setBy"]["stated"] == 58000
    assert lost["record"] != found["setBy"]["record"]


@pytest.mark.long
def test_the_order_view_is_rebuilt_from_the_topics_as_it_is(system: dict[str, str], shop: Shop) -> None:
    order = new_order()
    shop.post("order", {"orderId": order, "customerEmail": f"{order}@example.test", "amount": 58000})
    for status in ("pending", "completed"):
        shop.post("payment", {"orderId": order, "status": status, "amount": 58000})
    for status in ("preparing", "in_transit", "delivered"):
        shop.post("shipping", {"orderId": order, "status": status, "carrier": "CJ", "trackingNumber": order})
    orders = Store(system["ORDER_DATABASE_URL"])
    orders.wait_for("SELECT 1 FROM orders WHERE order_id = %s AND shipping_status = 'delivered'", order)
    until_handled(system, "payment", "shipping", "refund", "order")

    ask(system, "order", "replay", "--into", "r_orders")
    said = hookstream(system, "replay", "diff", "order", "r_orders").stdout

    assert "equal" in said
    assert "0 domain events owed" in said


def test_the_topic_of_states_is_the_only_compacted_one(system: dict[str, str]) -> None:
    checked = hookstream(system, "topics", "check")

    assert [topic for topic in topics.ALL if topic.holds_state] == [topics.ORDER_STATUS]
    assert checked.returncode == 0, checked.stderr
