"""Nothing that a person would be known by is in redacted evidence, whatever the notifier answers."""

import json
from typing import Any

from evidence.collection import Collected
from evidence.entries import build, unmasked
from evidence.redaction import without_personal_data

MAIL = {
    "id": "m-1",
    "status": "sent",
    "event_type": "PaymentCompleted",
    "audience": "customer",
    "created_at": "2026-02-03T09:00:00+09:00",
    "recipient": "kim@example.test",
    "subject": "김민지님, 결제가 완료되었습니다",
    "text": "김민지님",
    "html": "<p>김민지님</p>",
    "a_new_field": "김민지",
}
LIFE: dict[str, Any] = {"webhooks": [], "outcomes": [], "domain_events": [], "mails": []}
COLLECTED = Collected("1", LIFE, {}, [], {"m-1": MAIL})


def test_a_mail_is_shown_without_its_reader_and_its_text() -> None:
    (entry,) = build(COLLECTED, lambda _: (), show=without_personal_data)

    assert entry.what == "PaymentCompleted to the customer: sent"
    assert entry.at == "2026-02-03T00:00:00Z"
    text = json.dumps(entry.content, ensure_ascii=False)
    assert "김민지" not in text
    assert "kim@" not in text


def test_a_new_field_of_the_notifier_is_not_included_even_by_decision() -> None:
    (entry,) = build(COLLECTED, lambda _: (), show=unmasked)

    assert "a_new_field" not in json.dumps(entry.content)
    assert "김민지님" in json.dumps(entry.content, ensure_ascii=False)
