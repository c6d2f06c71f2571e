"""What the person on call sees: a webhook's life, an order's life, a customer's balance as it changes."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from console.api.access import balance_token
from console.app import TRY_AGAIN_LATER
from console.settings import ConsoleSettings
from stream.events import CreditAdded, Micros, ids, topics
from tests.actors import Console, Shop, Store, new_order, until
from tests.builders import a_payment, a_refund
from tests.log import append
from tests.processes import kill

MOST_SOCKETS = ConsoleSettings.model_fields["console_sockets_per_token"].default

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("path", ["/health/live", "/login", "/live/nothing", "/api/openapi.json"])
def test_head_has_the_status_and_the_headers_of_get(console: Console, path: str) -> None:
    def answered(method: str) -> tuple[int, str | None, bytes]:
        connection = HTTPConnection(console.url.removeprefix("http://"), timeout=10)
        connection.request(method, path, headers={"Authorization": f"Bearer {console.token}"})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read()

    assert answered("HEAD") == (*answered("GET")[:2], b"")


def test_the_life_of_a_webhook_is_seen_from_its_arrival_to_its_mail(shop: Shop, console: Console) -> None:
    order = new_order()
    customer = f"{order.lower()}@example.test"
    shop.post("order", {"orderId": order, "customerEmail": customer})
    shop.post("payment", {"orderId": order, "status": "completed", "amount": 58000, "paymentMethod": customer})

    seen = console.wait_for(f"/api/orders/{order}", lambda life: life["mails"] and statuses(life) == {"PROCESSED"})
    (payment,) = [row for row in seen["webhooks"] if row["type"] == "PAYMENT_COMPLETED"]
    life = console.ask(f"/api/webhooks/{payment['webhookId']}").body

    assert (life["status"], life["provider"], life["verification"]) == ("PROCESSED", "GENERIC", "signature")
    assert len(life["signature"]) == 64
    assert life["payload"]["amount"] == 58000
    assert life["payload"]["paymentMethod"] == "t***@example.test"
    assert life["record"]["topic"] == "webhooks.payment.v1"
    assert [(row["service"], row["outcome"]) for row in life["outcomes"] if row["eventId"] == life["webhookId"]] == [
        ("payment", "processed")
    ]
    assert [domain_event["type"] for domain_event in life["domain_events"]] == ["PaymentCompleted"]
    assert [(mail["eventType"], mail["audience"]) for mail in life["mails"]] == [("PaymentCompleted", "customer")]
    assert [event["kind"] for event in life["timeline"]][:1] == ["received"]
    assert "PaymentCompleted to the customer by email" in [event["what"] for event in life["timeline"]]
    assert "58,000 KRW" in str(life["timeline"])


def test_the_log_is_searched_page_by_page_newest_first(shop: Shop, console: Console) -> None:
    order = new_order()
    for number in range(5):
        shop.post("refund", {"orderId": order, "refundId": f"R-{number}", "status": "completed", "amount": 1})
    console.wait_for("/api/webhooks", lambda page: len(page["webhooks"]) == 5, order=order, status="processed")

    pages: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = console.ask("/api/webhooks", order=order, limit="2", status="processed", **cursor).body
        pages.append(page["webhooks"])
        if not page["next"]:
            break
        cursor = {"cursor": page["next"]}

    received = [row["receivedAt"] for page in pages for row in page]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert received == sorted(received, reverse=True)
    assert {row["type"] for page in pages for row in page} == {"REFUND_COMPLETED"}


def test_a_refused_webhook_is_found_by_the_order_its_body_names(
    shop: Shop, console: Console, system: dict[str, str]
) -> None:
    order = f"{new_order()}/1"
    for _ in range(3):
        shop.post("payment", {"orderId": order, "status": "completed", "amount": 1}, X_Webhook_Signature="0" * 64)

    page = console.wait_for("/api/refusals", lambda page: len(page["refusals"]) == 2, order=order, limit="2")
    rest = console.wait_for("/api/refusals", lambda page: page["refusals"], order=order, cursor=page["next"])

    assert [row["orderIds"] for row in (*page["refusals"], *rest["refusals"])] == [[order]] * 3
    assert {row["cause"] for row in page["refusals"]} == {"invalid_signature"}
    assert rest["next"] is None
    assert console.ask("/api/refusals", order=order, cause="stale_timestamp").body["refusals"] == []
    printed = hookstream(system, "order", order)
    assert printed.returncode == 1
    assert f"The log has no order {order}. 3 requests naming this order were refused" in printed.stderr
    assert f"hookstream refusals list --order {order}" in printed.stderr


def statuses(life: dict[str, Any]) -> set[str]:
    return {row["status"] for row in life["webhooks"]}


def test_a_balance_is_seen_at_once_and_as_it_changes(system: dict[str, str], console: Console) -> None:
    customer = new_order()
    token = balance_token(system["CONSOLE_TOKEN"], customer)

    async def story() -> list[dict[str, Any]]:
        async with watching(system, customer, token=token) as screen, watching(system, customer) as other:
            seen = [await screen.receive_json(timeout=30)]
            add(system, customer, 100_000, balance=100_000)
            seen.append(await screen.receive_json(timeout=30))
            assert await other.receive_json(timeout=30) == seen[0]
            assert await other.receive_json(timeout=30) == seen[1]
            add(system, customer, 50_000, balance=150_000)
            seen.append(await screen.receive_json(timeout=30))
        async with watching(system, customer, token=token) as later:
            return [*seen, await later.receive_json(timeout=30)]

    nothing, first, second, now = asyncio.run(story())

    assert nothing == {"customerId": customer, "balance": 0, "currency": "KRW", "amount": 0, "at": None}
    assert (first["balance"], first["amount"], first["at"]) == (100_000, 100_000, "2023-11-14T22:13:20Z")
    assert (second["balance"], second["amount"], second["currency"]) == (150_000, 50_000, "KRW")
    assert (now["balance"], now["amount"]) == (150_000, 0)
    assert console.ask(f"/api/customers/{customer}/balance").body == {
        "customerId": customer,
        "balances": [{"balance": 150_000, "currency": "KRW", "at": "2023-11-14T22:13:20Z"}],
    }


def test_a_screen_misses_nothing_while_the_console_has_lost_its_database(system: dict[str, str]) -> None:
    customer = new_order()
    store = Store(system["CONSOLE_DATABASE_URL"])

    async def story() -> list[int]:
        async with watching(system, customer) as screen:
            seen = [(await screen.receive_json(timeout=30))["balance"]]
            ended = store.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE %s", "%console-live"
            )
            assert ended
            add(system, customer, 100, balance=100)
            seen.append((await screen.receive_json(timeout=30))["balance"])
            add(system, customer, 50, balance=150)
            return [*seen, (await screen.receive_json(timeout=30))["balance"]]

    assert asyncio.run(story()) == [0, 100, 150]


def test_a_credit_that_comes_late_does_not_lower_the_balance(system: dict[str, str], console: Console) -> None:
    customer = new_order()

    add(system, customer, 50_000, balance=150_000)
    add(system, customer, 100_000, balance=100_000)
    add(system, customer, 1, balance=150_001)

    def is_complete(answer: Any) -> bool:
        return [stored["balance"] for stored in answer["balances"]] == [150_001]

    console.wait_for(f"/api/customers/{customer}/balance", is_complete)


def test_one_token_opens_only_so_many_balances_and_another_still_opens_one(system: dict[str, str]) -> None:
    customer, other = new_order(), new_order()
    token, other_token = (balance_token(system["CONSOLE_TOKEN"], name) for name in (customer, other))

    async def story() -> tuple[int | None, list[int]]:
        async with AsyncExitStack() as held:
            for _ in range(MOST_SOCKETS):
                screen = await held.enter_async_context(watching(system, customer, token=token))
                await screen.receive_json(timeout=30)
            async with watching(system, customer, token=token) as one_too_many:
                refused = (await one_too_many.receive(timeout=30)).data
            async with watching(system, other, token=other_token) as screen:
                seen = [(await screen.receive_json(timeout=30))["balance"]]
        async with watching(system, customer, token=token) as later:  # those before are closed
            return refused, [*seen, (await later.receive_json(timeout=30))["balance"]]

    refused, seen = asyncio.run(story())

    assert refused == TRY_AGAIN_LATER
    assert seen == [0, 0]


@pytest.mark.parametrize("token", ["", "wrong", balance_token("wrong", "somebody")])
def test_a_balance_is_not_shown_without_its_token(system: dict[str, str], token: str) -> None:
    async def story() -> int:
        try:
            async with watching(system, "somebody", token=token):
                return 200
        except aiohttp.WSServerHandshakeError as refused:
            return refused.status

    assert asyncio.run(story()) == 403


def test_a_customers_token_opens_that_customers_balance_and_nothing_else(system: dict[str, str]) -> None:
    token = balance_token(system["CONSOLE_TOKEN"], "kim")

    async def story() -> int:
        try:
            async with watching(system, "lee", token=token):
                return 200
        except aiohttp.WSServerHandshakeError as refused:
            return refused.status

    assert asyncio.run(story()) == 403
    assert Console(system["CONSOLE_URL"], token).ask("/api/labels").status == 401


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/statistics?from=yesterday", 400),
        ("/api/statistics?from=2026-02-03T00:00:00", 400),
        ("/api/statistics?from=2026-02-04&to=2026-02-03", 400),
        ("/api/statistics?provider=acme", 400),
        ("/api/statistics?since=2026-02-03", 400),
        ("/api/statistics?from=2026-02-03&from=2026-02-03", 400),
        ("/api/statistics?from=%00", 400),
        ("/api/statistics?from=%ff", 400),
        ("/api/statistics?from=9999-12-31&to=9999-12-31", 400),
        ("/api/statistics?from=0001-01-01T00:00:00%2B09:00", 200),
        ("/api/webhooks?limit=0", 400),
        ("/api/webhooks?limit=1000000", 400),
        ("/api/webhooks?limit=%C2%B2", 400),
        ("/api/webhooks?cursor=abc", 400),
        ("/api/webhooks?status=done", 400),
        ("/api/webhooks?id=%27%3B--", 200),
        ("/api/webhooks/nothing", 404),
        ("/api/webhooks/3f6c2b1a-9d0e-4c5b-8a7f-6e5d4c3b2a19", 404),
        ("/api/webhooks/%00", 400),
        ("/api/webhooks/" + "9" * 500, 400),
        ("/api/orders/%00", 400),
        ("/api/orders/%ED%A0%80", 404),
        ("/api/orders/no-such-order", 404),
        ("/api/customers/%00/balance", 400),
        ("/api/refusals?limit=x", 400),
        ("/api/labels?lang=ko", 400),
        ("/api/nothing", 404),
    ],
)
def test_a_verification_request_nobody_can_answer_is_refused_with_a_sentence(
    console: Console, path: str, status: int
) -> None:
    answer = console.ask(path)

    assert answer.status == status
    assert status == 200 or (answer.body["error"] and answer.body["message"])


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer wrong", "Basic d3Jvbmc6", "Bearer \xe9"])
def test_nothing_is_answered_without_the_token(system: dict[str, str], authorization: str) -> None:
    shop = Shop(system["CONSOLE_URL"], "")
    headers = {"Authorization": authorization} if authorization else {}

    for path in ("/api/statistics", "/api/webhooks", "/api/orders/1", "/api/labels", "/api/customers/1/balance"):
        reply = shop.request("GET", path, None, headers)
        assert (reply.status, reply.body["error"]) == (401, "unauthorized")
    assert shop.request("GET", "/health/ready", None, {}).status == 200


def test_a_console_that_was_killed_has_missed_nothing(shop: Shop, console: Console, system: dict[str, str]) -> None:
    order = new_order()
    kill(system, "CONSOLE")
    shop.post("payment", {"orderId": order, "status": "failed"})

    def is_there() -> Any:
        try:
            return console.ask("/api/webhooks", order=order).body["webhooks"]
        except OSError:
            return []

    (row,) = until(is_there, lambda rows: bool(rows) and rows[0]["status"] == "PROCESSED")
    assert row["type"] == "PAYMENT_FAILED"


@asynccontextmanager
async def watching(
    system: dict[str, str], customer: str, *, token: str | None = None
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A customer's screen: with a token in its URL, else with the console's own as a header."""
    url = f"{system['CONSOLE_URL']}/ws/customers/{customer}/balance"
    headers = {} if token is not None else {"Authorization": f"Bearer {system['CONSOLE_TOKEN']}"}
    query = {} if token is None else {"token": token}
    async with aiohttp.ClientSession() as session, session.ws_connect(url, params=query, headers=headers) as socket:
        yield socket


def add(system: dict[str, str], customer: str, amount: int, *, balance: int) -> None:
    invoice = new_order()
    credit = CreditAdded(
        event_id=ids.domain_event_id("CreditAdded", invoice),
        caused_by=ids.event_id("tapayz", "test", invoice),
        mode="test",
        occurred_at=Micros(1_700_000_000_000_000),
        received_at=Micros(1_700_000_060_000_000),
        order_id=None,
        customer_id=customer,
        invoice_id=invoice,
        entry_id=invoice,
        amount=amount,
        currency="KRW",
        balance=balance,
    )
    append(system, topics.INVOICES, invoice, credit)


def test_the_command_line_tells_where_an_order_is(shop: Shop, console: Console, system: dict[str, str]) -> None:
    order = new_order()
    shop.post("refund", {"orderId": order, "refundId": "R-1", "status": "rejected", "reason": "too late"})
    life = console.wait_for(
        f"/api/orders/{order}", lambda life: life["domain_events"] and statuses(life) == {"PROCESSED"}
    )

    published = hookstream(system, "order", order)
    assert published.returncode == 0
    assert "RefundRejected: too late" in published.stdout
    assert "refund.rejected processed by refund" in published.stdout
    webhook = hookstream(system, "webhook", life["webhooks"][0]["webhookId"])
    assert '"reason": "too late"' in webhook.stdout
    nothing = hookstream(system, "order", "no-such-order")
    assert (nothing.returncode, nothing.stderr) == (1, "The log has no order no-such-order.\n")
    wrong = hookstream(system, "stats", "--from", "yesterday")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "from must be a date" in wrong.stderr


def test_a_refund_that_names_only_the_payment_is_part_of_its_orders_life(
    system: dict[str, str], console: Console
) -> None:
    order, intent = new_order(), new_order()
    paid = a_payment("completed", order=order, aliases=(intent,), transaction_id=intent, name=new_order())
    refund = a_refund("completed", order=None, alias=intent, refund_id=new_order(), name=new_order())

    append(system, topics.PAYMENT_WEBHOOKS, order, paid)
    append(system, topics.REFUND_WEBHOOKS, f"generic:{intent}", refund)

    life = console.wait_for(f"/api/orders/{order}", lambda life: len(life["webhooks"]) == 2)
    assert {row["type"] for row in life["webhooks"]} == {"PAYMENT_COMPLETED", "REFUND_COMPLETED"}


def hookstream(system: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **{name: system[name] for name in ("CONSOLE_URL", "CONSOLE_TOKEN")}}
    command = [sys.executable, "-m", "cli", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, check=False, capture_output=True, text=True)
