"""Contract E's log, statistics and clean-up, on the real system; its test names, where they concern the log."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stream.events import (
    EventId,
    Micros,
    Outcome,
    OutcomeKind,
    PaymentWebhook,
    QuarantinedWebhook,
    RefundWebhook,
    UnconfirmedWebhook,
    VerificationRequest,
    ids,
    topics,
)
from tests.actors import Console, Shop, Store, new_order, until
from tests.builders import a_payment, a_refund
from tests.log import Writer, append, writer

ROOT = Path(__file__).parent.parent.parent
MINUTE = 60_000_000
DAY = 24 * 60 * MINUTE
LONG_AGO = 981_158_400_000_000
"""3 February 2001: a time that no other test uses."""


@dataclass(frozen=True)
class Log:
    """The topics, on which webhooks and outcomes are put by hand as gateway and processors put them there."""

    system: dict[str, str]
    writer: Writer

    def receive(self, webhook: PaymentWebhook | RefundWebhook, *, at: int, provider: str = "inicis") -> str:
        """A webhook, on a topic that the console alone reads, so that nobody else says a word of it; its id."""
        name = ids.event_id(provider, "test", new_order())
        envelope = msgspec.structs.replace(webhook.envelope, event_id=name, provider=provider, received_at=at)
        self.writer.append(topics.REFUSALS, name, msgspec.structs.replace(webhook, envelope=envelope))
        return name

    def say(self, name: str, outcome: OutcomeKind, *, at: int, attempt: int = 1, error: str | None = None) -> None:
        """What the payment processor says became of it."""
        published = Outcome(
            event_id=EventId(name),
            service="payment",
            topic=topics.PAYMENT_WEBHOOKS.name,
            partition=0,
            offset=1,
            outcome=outcome,
            attempt=attempt,
            error=error,
            at=Micros(at),
        )
        self.writer.append(topics.OUTCOMES, name, published)


@pytest.fixture
def log(system: dict[str, str]) -> Log:
    return Log(system, writer(system))


@pytest.mark.parametrize(
    ("kind", "status", "type_"),
    [
        ("payment", "completed", "PAYMENT_COMPLETED"),
        ("payment", "failed", "PAYMENT_FAILED"),
        ("payment", "cancelled", "PAYMENT_CANCELLED"),
        ("refund", "completed", "REFUND_COMPLETED"),
        ("refund", "rejected", "REFUND_FAILED"),
    ],
)
def test_payment_completed_failed_and_refund_completed_are_processed(
    shop: Shop, console: Console, kind: str, status: str, type_: str
) -> None:
    order = new_order()

    shop.post(kind, {"orderId": order, "status": status, **({"refundId": "R-1"} if kind == "refund" else {})})

    (row,) = rows(console, "PROCESSED", order=order)
    assert (row["type"], row["provider"], row["retryCount"], row["error"]) == (type_, "GENERIC", 0, None)


def test_an_unsupported_type_is_rejected_and_kept(console: Console, system: dict[str, str]) -> None:
    raw = f'{{"eventId": "{new_order()}", "status": "DANCED"}}'.encode()
    name = ids.unreadable_body_id("inicis", raw)

    stored = QuarantinedWebhook(
        event_id=EventId(name),
        provider="inicis",
        mode="test",
        cause="unsupported_type",
        detail="지원하지 않는 웹훅 타입입니다",
        verification="signature",
        received_at=Micros(LONG_AGO - DAY),
        path="/webhooks/payment",
        headers={"x-pg-provider": "INICIS", "x-pg-signature": "00ff"},
        raw=raw,
    )
    append(system, topics.QUARANTINE, name, stored)

    row = seen(console, name, "FAILED")
    assert (row["type"], row["provider"]) == ("UNKNOWN", "INICIS")
    assert row["error"] == "unsupported_type: 지원하지 않는 웹훅 타입입니다"
    assert (row["payload"]["status"], row["signature"]) == ("DANCED", "00ff")


def test_a_duplicate_is_found_in_the_store(shop: Shop, console: Console) -> None:
    order = new_order()

    for _ in range(3):
        shop.post("payment", {"orderId": order, "status": "completed"})

    (row,) = until(lambda: rows(console, "PROCESSED", order=order), lambda found: found[0]["note"])
    assert row["note"] == f"중복된 웹훅입니다: {row['webhookId']}"


def test_a_bad_signature_is_rejected_and_logged(shop: Shop, console: Console) -> None:
    order = new_order()

    body = f'{{"orderId": "{order}", "status": "completed", "email": "kim@example.test"}}'.encode()
    assert shop.post_bytes("/webhooks/payment", body, X_Webhook_Signature="00").status == 401

    def of_this_order(answer: Any) -> list[Any]:
        return [one for one in answer["refusals"] if order in str(one["excerpt"])]

    (refused,) = of_this_order(console.wait_for("/api/refusals", lambda answer: bool(of_this_order(answer))))
    assert (refused["cause"], refused["provider"]) == ("invalid_signature", "GENERIC")
    assert refused["excerpt"]["email"] == "k***@example.test"
    assert console.ask("/api/webhooks", order=order).body["webhooks"] == []


def test_a_failed_webhook_whose_retry_succeeds_is_processed(log: Log, console: Console) -> None:
    name = log.receive(a_payment(), at=LONG_AGO - DAY)

    log.say(name, "retrying", at=LONG_AGO, attempt=1, error="the store said no to kim@example.test")
    failed = seen(console, name, "FAILED")
    log.say(name, "processed", at=LONG_AGO + MINUTE, attempt=2)
    processed = seen(console, name, "PROCESSED")

    assert (failed["retryCount"], failed["error"]) == (1, "the store said no to k***@example.test")
    assert (processed["retryCount"], processed["error"]) == (2, None)
    assert processed["lastRetryAt"] == "2001-02-03T00:01:00Z"


def test_the_last_failure_abandons(log: Log, console: Console) -> None:
    name = log.receive(a_payment(), at=LONG_AGO - DAY)

    for attempt in range(1, 6):
        log.say(name, "retrying", at=LONG_AGO + attempt * MINUTE, attempt=attempt, error="no")
    retrying = seen(console, name, "RETRYING")
    log.say(name, "dead", at=LONG_AGO + DAY, attempt=6, error="no, for the last time")

    assert retrying["retryCount"] in range(2, 6)
    assert seen(console, name, "ABANDONED")["error"] == "no, for the last time"


def test_what_is_said_before_its_webhook_is_read_counts_all_the_same(log: Log, console: Console) -> None:
    name = ids.event_id("inicis", "test", new_order())
    log.say(name, "processed", at=LONG_AGO)
    console.wait_for(f"/api/webhooks/{name}", lambda row: row["status"] == "PROCESSED")
    assert console.ask("/api/webhooks", id=name).body["webhooks"] == []

    webhook = a_payment()
    envelope = msgspec.structs.replace(webhook.envelope, event_id=name, received_at=LONG_AGO - DAY)
    log.writer.append(topics.REFUSALS, name, msgspec.structs.replace(webhook, envelope=envelope))

    (row,) = console.wait_for("/api/webhooks", lambda page: page["webhooks"], id=name)["webhooks"]
    assert (row["status"], row["type"]) == ("PROCESSED", "PAYMENT_COMPLETED")


def test_an_unsigned_webhook_is_received_until_confirmed_and_counts_once(log: Log, console: Console) -> None:
    at = LONG_AGO - 100 * DAY
    unconfirmed, event = (ids.event_id("toss", "test", new_order()) for _ in range(2))
    verification_request = VerificationRequest(subject="payment", alias=new_order())
    envelope = msgspec.structs.replace(a_payment().envelope, event_id=unconfirmed, provider="toss", received_at=at)
    confirmed = msgspec.structs.replace(
        envelope, event_id=event, verification_request_id=unconfirmed, verification="confirmed"
    )

    log.writer.append(topics.REFUSALS, unconfirmed, UnconfirmedWebhook(envelope=envelope, payload=verification_request))
    waiting = seen(console, unconfirmed, "RECEIVED")
    log.writer.append(topics.REFUSALS, event, msgspec.structs.replace(a_payment(), envelope=confirmed))
    log.say(event, "processed", at=at)
    done = seen(console, event, "PROCESSED")

    assert waiting["confirmedAs"] is None
    assert (done["verificationRequestId"], [row["webhookId"] for row in done["related"]]) == (
        unconfirmed,
        [unconfirmed],
    )
    assert seen(console, unconfirmed, "PROCESSED")["confirmedAs"] == event
    day = {"from": "2000-10-26", "to": "2000-10-26"}
    assert console.ask("/api/statistics", provider="TOSS", **day).body["totalCount"] == 1


def test_statistics_by_range_and_provider(log: Log, console: Console) -> None:
    webhooks = [
        *((a_payment("completed"), "processed") for _ in range(16)),
        *((a_refund("completed"), "processed") for _ in range(3)),
        (a_payment("failed"), "dead"),
    ]
    for number, (webhook, outcome) in enumerate(webhooks):
        log.say(log.receive(webhook, at=LONG_AGO + number, provider="kakaopay"), outcome, at=LONG_AGO)  # type: ignore[arg-type]
    log.receive(a_payment(), at=LONG_AGO + DAY, provider="kakaopay")
    log.receive(a_payment(), at=LONG_AGO, provider="naverpay")

    day = {"from": "2001-02-03", "to": "2001-02-03"}
    statistics = console.wait_for(
        "/api/statistics", lambda seen: seen["successCount"] + seen["failedCount"] == 20, provider="KAKAO", **day
    )

    assert statistics == {
        "provider": "KAKAO",
        "totalCount": 20,
        "successCount": 19,
        "failedCount": 1,
        "successRate": "0.9500",
        "typeStatistics": [
            {"type": "PAYMENT_COMPLETED", "count": 16, "successCount": 16, "failedCount": 0},
            {"type": "PAYMENT_FAILED", "count": 1, "successCount": 0, "failedCount": 1},
            {"type": "REFUND_COMPLETED", "count": 3, "successCount": 3, "failedCount": 0},
        ],
    }
    console.wait_for("/api/statistics", lambda seen: (seen["provider"], seen["totalCount"]) == ("ALL", 21), **day)
    assert hookstream(log.system, "stats", "--from", "2001-02-03", "--to", "2001-02-03T12:00:00+00:00") == {
        **statistics,
        "provider": "ALL",
        "totalCount": 21,
        "successRate": "0.9048",
        "typeStatistics": [
            {"type": "PAYMENT_COMPLETED", "count": 17, "successCount": 16, "failedCount": 0},
            *statistics["typeStatistics"][1:],
        ],
    }


def test_nothing_at_all_has_the_rate_zero(console: Console) -> None:
    assert console.ask("/api/statistics", to="1999-12-31", provider="toss").body == {
        "provider": "TOSS",
        "totalCount": 0,
        "successCount": 0,
        "failedCount": 0,
        "successRate": "0.0000",
        "typeStatistics": [],
    }


def test_old_failed_webhooks_are_cleaned_up_and_counted(log: Log, console: Console, system: dict[str, str]) -> None:
    """Their age is that of the records: these rows were made just now."""
    clean(system)
    old = [log.receive(a_payment(), at=LONG_AGO + 400 * DAY) for _ in range(50)]
    for name in old:
        log.say(name, "dead", at=LONG_AGO + 400 * DAY, attempt=6)
    failed = log.receive(a_payment(), at=LONG_AGO + 400 * DAY)
    log.say(failed, "retrying", at=LONG_AGO + 400 * DAY)
    young = log.receive(a_payment(), at=LONG_AGO + 400 * DAY)
    log.say(young, "dead", at=LONG_AGO + 40_000 * DAY, attempt=6)
    for name in old:
        seen(console, name, "ABANDONED")
    seen(console, failed, "FAILED")
    seen(console, young, "ABANDONED")

    assert '"event":"Cleaned up 50 failed webhooks"' in clean(system)

    store = Store(system["CONSOLE_DATABASE_URL"])
    left = store.rows(
        "SELECT webhook_id::text AS id FROM webhooks WHERE webhook_id = ANY (%s::uuid[])", [*old, failed, young]
    )
    assert {row["id"] for row in left} == {failed, young}
    assert store.rows("SELECT 1 FROM outcomes WHERE event_id = ANY (%s::uuid[])", old) == []


def rows(console: Console, status: str, **wanted: str) -> list[dict[str, Any]]:
    page = console.wait_for(
        "/api/webhooks", lambda page: [row["status"] for row in page["webhooks"]] == [status], **wanted
    )
    found: list[dict[str, Any]] = page["webhooks"]
    return found


def seen(console: Console, name: str, status: str) -> dict[str, Any]:
    """The row of a webhook once it has this status and its webhook has been read."""
    row: dict[str, Any] = console.wait_for(
        f"/api/webhooks/{name}", lambda row: row["status"] == status and row["receivedAt"] is not None
    )
    return row


def clean(system: dict[str, str]) -> str:
    """What the clean-up logs."""
    env = {**os.environ, **{name: system[name] for name in ("KAFKA_BOOTSTRAP_SERVERS", "CONSOLE_TOKEN")}}
    env["DATABASE_URL"] = system["CONSOLE_DATABASE_URL"]
    done = subprocess.run(
        [sys.executable, "-m", "console", "clean"], cwd=ROOT, env=env, check=True, capture_output=True, text=True
    )
    return done.stderr


def hookstream(system: dict[str, str], *arguments: str) -> Any:
    """What a command prints, as JSON."""
    env = {**os.environ, **{name: system[name] for name in ("CONSOLE_URL", "CONSOLE_TOKEN")}}
    done = subprocess.run([sys.executable, "-m", "cli", *arguments], cwd=ROOT, env=env, check=True, capture_output=True)
    return msgspec.json.decode(done.stdout)
