"""Contract E's log, statistics and clean-up, on the real system; its test names, where they concern the log."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from local.environment import STORES
from stream import ids, topics
from stream.events import Mode, Outcome, OutcomeKind, PaymentWebhook, QuarantinedWebhook, RefundWebhook
from stream.topics import Topic
from tests.actors import Console, Shop, Store, new_order, until
from tests.builders import a_payment, a_refund
from tests.log import append

DAY = 24 * 3600 * 1_000_000
MODE: Mode = "test"
SERVICE = "payment"


@dataclass(frozen=True)
class Log:
    """What is put on the topics by hand, as gateway and processors would put it."""

    system: dict[str, str]

    def received(self, webhook: PaymentWebhook | RefundWebhook, *, provider: str, at: int) -> str:
        """A webhook nobody else handles: it stands on a topic of the log alone; its id."""
        name = ids.event_id(provider, MODE, new_order())
        envelope = msgspec.structs.replace(webhook.envelope, event_id=name, provider=provider, received_at=at)
        topic = topics.PAYMENT_WEBHOOKS if isinstance(webhook, PaymentWebhook) else topics.REFUND_WEBHOOKS
        append(self.system, topic, name, msgspec.structs.replace(webhook, envelope=envelope))
        return name

    def kept_aside(self, cause: str, detail: str, raw: bytes) -> str:
        name = ids.unreadable_body_id("inicis", raw)
        record = QuarantinedWebhook(
            event_id=name,
            provider="inicis",
            mode=MODE,
            cause=cause,
            detail=detail,
            verification="signature",
            received_at=1,
            path="/webhooks/payment",
            headers={"x-pg-signature": "00"},
            raw=raw,
        )
        append(self.system, topics.QUARANTINE, name, record)
        return name

    def said(self, name: str, outcome: OutcomeKind, at: int, *, attempt: int = 1, error: str | None = None) -> None:
        told = Outcome(
            event_id=name,
            service=SERVICE,
            topic=topics.UNCONFIRMED.name,
            partition=0,
            offset=1,
            outcome=outcome,
            attempt=attempt,
            error=error,
            at=at,
        )
        append(self.system, topics.OUTCOMES, name, told)
