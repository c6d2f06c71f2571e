"""Why an order has the mails it has, in sentences."""

from typing import Any

from cli.mcp_server.diagnosis import mail_reasons

LIFE: dict[str, Any] = {"mails": [], "webhooks": [], "domain_events": []}


def test_an_order_nobody_posted_is_said_with_what_was_refused() -> None:
    refused = [{"provider": "GENERIC", "cause": "invalid_signature"}] * 2

    first, second = mail_reasons(None, [], refused)

    assert first == "2 requests of GENERIC naming this order were refused: invalid_signature"
    assert "no accepted webhook" in second


def test_a_mail_without_an_address_says_what_it_waits_for() -> None:
    mail = {"id": "m", "event_type": "PaymentCompleted", "audience": "customer", "status": "waiting", "error": None}

    (reason,) = mail_reasons(LIFE, [mail], [])

    assert "waits for the recipient's address" in reason


def test_a_webhook_that_failed_is_named_with_its_error() -> None:
    webhook = {
        "status": "ABANDONED",
        "error": "CheckViolation: x\nrow",
        "eventType": "paid",
        "type": "P",
        "webhookId": "w",
    }

    first, second = mail_reasons({**LIFE, "webhooks": [webhook]}, [], [])

    assert first == "the webhook paid (w) is ABANDONED: CheckViolation: x"
    assert second.startswith("no event of this order is mailed")
