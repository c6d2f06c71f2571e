"""The timeline of an order: at equal times, causes come before effects."""

from typing import Any

from console.api.views import timeline
from console.queries.lookup import RelatedRows

AT = 1_700_000_000_000_000
MONEY = {"amount": 58000, "currency": "KRW"}


def a_webhook(name: str) -> dict[str, Any]:
    entries = {
        "event_type": "payment.completed",
        "provider": "generic",
        "verification": "signature",
        "status": "PROCESSED",
    }
    return {"webhook_id": name, "received_at": AT, **entries}


def an_outcome(name: str, service: str, outcome: str = "processed", error: str | None = None) -> dict[str, Any]:
    return {"event_id": name, "service": service, "outcome": outcome, "attempt": 1, "error": error, "at": AT}


def an_event(name: str, kind: str, cause: str) -> dict[str, Any]:
    return {"event_id": name, "type": kind, "caused_by": cause, "received_at": AT, "body": MONEY}


def a_mail(name: str, event_id: str) -> dict[str, Any]:
    entries = {"event_type": "PaymentCompleted", "audience": "customer", "channel": "email"}
    return {"notification_id": name, "event_id": event_id, "sent_at": AT, **entries}


def test_entries_with_equal_times_go_from_cause_to_effect() -> None:
    rows = RelatedRows(
        webhooks=[a_webhook("w")],
        outcomes=[an_outcome("f1", "refund"), an_outcome("w", "payment")],
        events=[an_event("f2", "RefundRequested", "f1"), an_event("f1", "PaymentCompleted", "w")],
        mails=[a_mail("m", "f1")],
    )

    entries = [(event["kind"], event["id"]) for event in timeline.entries(rows)]

    assert entries[:4] == [("received", "w"), ("handled", "w"), ("published", "f1"), ("handled", "f1")]
    assert sorted(entries[4:]) == [("mailed", "m"), ("published", "f2")]


def test_only_the_first_line_of_an_error_is_shown() -> None:
    refused = an_outcome("w", "payment", "retrying", "CheckViolation (23514)\nDETAIL:  Failing row contains (R-1, …).")

    (event,) = timeline.entries(RelatedRows(webhooks=[], outcomes=[refused], events=[], mails=[]))

    assert event["what"].endswith("CheckViolation (23514)")
