"""An agent answers a support desk's questions with the tools of `hookstream mcp`, over stdio."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.actors import Console, Shop, Store, new_order

ROOT = Path(__file__).parents[2]
Call = tuple[str, dict[str, Any]]


def ask(system: dict[str, str], *calls: Call, options: tuple[str, ...] = ()) -> tuple[list[Any], list[Any]]:
    """The tools that a server offers, and its answer to each call, through a real client."""

    async def talk() -> tuple[list[Any], list[Any]]:
        command = StdioServerParameters(
            command=sys.executable, args=["-m", "cli", "mcp", *options], env=os.environ | system, cwd=ROOT
        )
        async with stdio_client(command) as (read, write), ClientSession(read, write) as session:
            await session.initialize()
            tools = (await session.list_tools()).tools
            return list(tools), [await session.call_tool(name, arguments) for name, arguments in calls]

    return asyncio.run(talk())


def test_why_an_order_got_no_mail_is_answered(
    system: dict[str, str], shop: Shop, console: Console, notifications: Store
) -> None:
    waiting, forged = new_order(), new_order()
    shop.post("payment", {"orderId": waiting, "status": "completed", "amount": 1000})
    shop.post("payment", {"orderId": forged, "status": "completed", "amount": 1000}, X_Webhook_Signature="0" * 64)
    notifications.wait_for("SELECT 1 FROM notifications WHERE order_id = %s AND status = 'waiting'", waiting)
    console.wait_for("/api/refusals", lambda page: page["refusals"], order=forged)
    console.wait_for(f"/api/orders/{waiting}", lambda life: life["domain_events"])

    tools, (known, unknown, life, slip) = ask(
        system,
        ("mails", {"order_id": waiting}),
        ("mails", {"order_id": forged}),
        ("order", {"order_id": waiting}),
        ("webhook", {"webhook_id": ""}),
    )

    assert any("waits for the recipient's address" in reason for reason in content(known)["reasons"])
    assert any("was refused: invalid_signature" in reason for reason in content(unknown)["reasons"])
    assert [event["type"] for event in content(life)["domain_events"]] == ["PaymentCompleted"]
    assert slip.is_error
    assert {"search", "order", "webhook", "why", "refusals", "mails", "statistics", "dead_letters"} <= names(tools)


def test_nothing_can_be_changed_unless_it_is_allowed(system: dict[str, str]) -> None:
    reading, _ = ask(system)
    acting, (counted,) = ask(
        system,
        ("redrive", {"service": "payment", "event_ids": ["3f6c2b1a-9d0e-4c5b-8a7f-6e5d4c3b2a19"]}),
        options=("--allow-actions",),
    )

    assert not names(reading) & {"retry", "redrive"}
    assert all(tool.annotations.read_only_hint for tool in reading)
    assert {"retry", "redrive"} <= names(acting)
    assert content(counted)["matched"] == 0


def content(result: Any) -> dict[str, Any]:
    assert not result.is_error, result
    found: dict[str, Any] = result.structured_content
    return found


def names(tools: list[Any]) -> set[str]:
    return {tool.name for tool in tools}
