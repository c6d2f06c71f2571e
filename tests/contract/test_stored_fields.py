"""What each contract stores is found by the contract's own names: docs/stored_fields.md, query by query."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from providers.tosspayments.webhook import PROVIDER as TOSSPAYMENTS
from stream.events import topics
from tests.actors import Shop, Store, new_order
from tests.builders import an_invoice
from tests.contract.sender import sender
from tests.log import append
from tests.replays import ask

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/stored_fields.md").read_text()
QUERY = re.compile(r"^-- (\w+)\n(SELECT .*?;)$", re.MULTILINE | re.DOTALL)
PAID_AT = datetime(2023, 11, 15, 1, 23, 45, tzinfo=UTC)


def named(system: dict[str, str], service: str) -> Store:
    """A service's store by the contracts' names."""
    options = urlencode({"options": "-csearch_path=contracts"})
    return Store(f"{system[f'{service.upper()}_DATABASE_URL']}?{options}")


def test_contract_a_an_order_has_its_twelve_columns(system: dict[str, str], shop: Shop) -> None:
    order = new_order()
    transaction, refund = f"TXN-{order}", f"R-{order}"
    shop.post("payment", {
        "orderId": order, "status": "completed", "paymentMethod": "card", "transactionId": transaction,
        "amount": 58000, "paidAt": "2023-11-15T10:23:45+09:00",
    })  # fmt: skip
    shop.post("shipping", {
        "orderId": order, "status": "in_transit", "carrier": "CJ대한통운", "trackingNumber": "123456789012",
        "location": "서울 강남구 물류센터", "timestamp": "2023-11-15T10:23:45+09:00",
    })  # fmt: skip
    shop.post("refund", {
        "orderId": order, "refundId": refund, "amount": 8000, "reason": "단순 변심", "status": "completed",
        "processedAt": "2023-11-15T10:23:45+09:00",
    })  # fmt: skip

    (row,) = named(system, "order").wait_for(
        "SELECT payment_status, payment_method, transaction_id, paid_amount, paid_at, shipping_status,"
        " tracking_number, carrier, last_location, shipping_updated_at, refund_status, refunded_amount"
        " FROM orders WHERE id = %s AND refund_status = 'completed' AND shipping_status IS NOT NULL"
        " AND payment_status IS NOT NULL",
        order,
    )
    (refunded,) = named(system, "refund").rows(
        "SELECT order_id, refund_id, amount, reason, status, processed_at FROM refunds WHERE order_id = %s", order
    )

    assert row == {
        "payment_status": "completed",
        "payment_method": "card",
        "transaction_id": transaction,
        "paid_amount": 58000,
        "paid_at": PAID_AT,
        "shipping_status": "in_transit",
        "tracking_number": "123456789012",
        "carrier": "CJ대한통운",
        "last_location": "서울 강남구 물류센터",
        "shipping_updated_at": PAID_AT,
        "refund_status": "completed",
        "refunded_amount": 8000,
    }
    assert refunded == {
        "order_id": order,
        "refund_id": refund,
        "amount": 8000,
        "reason": "단순 변심",
        "status": "completed",
        "processed_at": PAID_AT,
    }


def test_contract_b_a_payment_has_its_last_webhook_and_the_payer_a_notification(
    system: dict[str, str], shop: Shop
) -> None:
    order = new_order()
    body = {"orderId": order, "status": "completed", "amount": 58000}
    person = {"orderId": order, "customerId": f"C-{order}", "customerEmail": f"{order}@example.test"}
    shop.post("order", {**person, "link": "/bookings/1"})
    shop.post("payment", body)

    (payment,) = named(system, "payment").wait_for(
        "SELECT id, order_id, payment_status, payment_metadata, paid_at, updated_at FROM payments WHERE order_id = %s",
        order,
    )
    (notification,) = named(system, "notifier").wait_for(
        "SELECT id, user_id, title, message, type, link, created_at FROM notifications"
        " WHERE user_id = %s ORDER BY created_at DESC",
        f"C-{order}",
    )

    assert (payment["id"], payment["payment_status"]) == (order, "completed")
    assert payment["payment_metadata"] == {"webhook": body}
    assert notification["link"].endswith("/bookings/1")
    assert notification["title"]
    assert notification["message"]


def test_contract_c_a_payment_and_its_user_are_found_by_their_names(system: dict[str, str]) -> None:
    user = new_order()
    order = f"BIZ-{user}-PRO-20260203120000"
    body = (
        f'{{"eventType":"payment.confirmed","orderId":"{order}","paymentKey":"pk-{user}","status":"DONE",'
        f'"totalAmount":29000,"method":"카드","approvedAt":"2026-02-03T12:00:05+09:00"}}'
    ).encode()
    sender(system, TOSSPAYMENTS).post("/api/webhooks/tosspayments", body)

    (payment,) = named(system, "payment").wait_for(
        "SELECT order_id, payment_key, user_id, amount, status, payment_data ->> 'method' AS method FROM payments"
        " WHERE payment_key = %s",
        f"pk-{user}",
    )
    (plan,) = named(system, "subscription").wait_for(
        "SELECT subscription_plan, subscription_status, subscription_start_date, subscription_end_date FROM users"
        " WHERE id = %s AND subscription_status = 'active'",
        user,
    )

    assert payment == {
        "order_id": order,
        "payment_key": f"pk-{user}",
        "user_id": user,
        "amount": 29000,
        "status": "completed",
        "method": "카드",
    }
    assert plan == {
        "subscription_plan": "pro",
        "subscription_status": "active",
        "subscription_start_date": datetime(2026, 2, 3, 3, 0, 5, tzinfo=UTC),
        "subscription_end_date": datetime(2026, 3, 3, 3, 0, 5, tzinfo=UTC),
    }


def test_contract_c_a_user_who_never_paid_is_free_and_inactive(system: dict[str, str]) -> None:
    user = new_order()
    Store(system["SUBSCRIPTION_DATABASE_URL"]).rows(
        "INSERT INTO subscriptions (user_id) VALUES (%s) RETURNING user_id", user
    )

    (plan,) = named(system, "subscription").rows(
        "SELECT subscription_plan, subscription_status FROM users WHERE id = %s", user
    )

    assert plan == {"subscription_plan": "free", "subscription_status": "inactive"}


@pytest.mark.parametrize("column", ["order_id", "payment_key", "user_id"])
def test_contract_c_s_columns_are_indexed(column: str, system: dict[str, str]) -> None:
    table = {"payment_key": "transaction_id"}.get(column, column)
    indexes = Store(system["PAYMENT_DATABASE_URL"]).rows("SELECT indexdef FROM pg_indexes WHERE tablename = 'payments'")

    assert any(f"({table})" in row["indexdef"] for row in indexes)


def test_contract_d_an_invoice_and_the_customer_s_balance_are_found(system: dict[str, str]) -> None:
    invoice, customer = new_order(), new_order()
    done = an_invoice(invoice=invoice, customer_id=customer, cash_amount=100000, title="USDT", name=invoice)
    append(system, topics.INVOICE_WEBHOOKS, invoice, done)

    (row,) = named(system, "invoice").wait_for(
        "SELECT invoice_id, customer_id, state, title, cash_amount, reason FROM invoices WHERE invoice_id = %s", invoice
    )
    (balance,) = named(system, "invoice").wait_for(
        "SELECT balance FROM balances WHERE customer_id = %s AND currency = 'KRW'", customer
    )

    assert row["state"] == "Complete"
    assert (row["cash_amount"], balance["balance"]) == (100000, 100000)


def test_contract_e_the_log_has_its_row(system: dict[str, str], shop: Shop) -> None:
    order = new_order()
    shop.post("payment", {"orderId": order, "status": "failed"}, Idempotency_Key=f"key-{order}")

    (row,) = named(system, "console").wait_for(
        "SELECT webhook_id, type, provider, payload, signature, status, retry_count, last_retry_at, error, created_at"
        " FROM webhook_logs WHERE webhook_id = %s AND status = 'PROCESSED'",
        f"key-{order}",
    )

    assert (row["type"], row["provider"], row["retry_count"]) == ("PAYMENT_FAILED", "GENERIC", 0)
    assert order in row["payload"]
    assert row["signature"]


@pytest.mark.parametrize(("service", "query"), QUERY.findall(PAGE))
def test_each_query_of_the_page_runs_as_written(service: str, query: str, system: dict[str, str]) -> None:
    assert isinstance(named(system, service).rows(query.replace("%", "%%")), list)


def test_the_page_has_queries_for_each_contract() -> None:
    assert {"order", "refund", "payment", "notifier", "subscription", "invoice", "console"} == {
        service for service, _ in QUERY.findall(PAGE)
    }


@pytest.mark.long
def test_the_names_stay_with_the_live_store_when_a_replayed_one_takes_its_place(
    system: dict[str, str], shop: Shop
) -> None:
    before, after, payments = new_order(), new_order(), named(system, "payment")
    shop.post("payment", {"orderId": before, "status": "completed", "amount": 58000})
    by_order = "SELECT payment_status FROM payments WHERE order_id = %s"
    payments.wait_for(by_order, before)

    ask(system, "payment", "replay", "--into", "r_names")
    ask(system, "payment", "replay", "diff", "r_names")
    ask(system, "payment", "replay", "promote", "r_names")
    shop.post("payment", {"orderId": after, "status": "completed", "amount": 58000})

    rows: list[dict[str, Any]] = [payments.wait_for(by_order, order)[0] for order in (before, after)]
    assert rows == [{"payment_status": "completed"}] * 2
