"""One secret signs payments, parcels, refunds, orders and customers: a body is of its own path only."""

from typing import Any

import pytest

from providers import catalogue
from providers.contract import RefusedWebhook, Translation, WrongEvent
from providers.generic.kinds import require_type
from tests.unit.providers.posted import posted

AT = "2026-11-15T10:30:00+09:00"
SAID: dict[str, dict[str, Any]] = {
    "payment": {
        "orderId": 1,
        "status": "failed",
        "paymentMethod": "card",
        "transactionId": "TXN-1",
        "amount": 58000,
        "paidAt": AT,
    },
    "shipping": {
        "orderId": 1,
        "status": "failed",
        "trackingNumber": "123456789012",
        "carrier": "CJ대한통운",
        "location": "서울",
        "timestamp": AT,
    },
    "refund": {
        "orderId": 1,
        "refundId": "R-1",
        "amount": 58000,
        "reason": "단순 변심",
        "status": "completed",
        "processedAt": AT,
    },
    "order": {"orderId": 1, "customerId": 7, "customerEmail": "kim@example.test", "amount": 58000},
    "customer": {"customerId": 7, "email": "kim@example.test", "name": "김민지"},
}
ELSEWHERE = [(kind, other) for kind in SAID for other in SAID if kind != other]


def translated(body: dict[str, Any], path: str) -> Translation:
    provider, kind = catalogue.BY_PATH[f"/webhooks/{path}"]
    return provider.translate(posted(body, path=f"/webhooks/{path}"), kind)


@pytest.mark.parametrize("kind", SAID)
def test_each_body_is_read_on_its_own_path(kind: str) -> None:
    assert translated(SAID[kind], kind) == translated({**SAID[kind], "type": kind}, kind)


@pytest.mark.parametrize(("kind", "path"), ELSEWHERE)
def test_an_authentic_body_is_refused_on_the_path_of_another_kind(kind: str, path: str) -> None:
    with pytest.raises(RefusedWebhook):
        translated(SAID[kind], path)
    with pytest.raises(RefusedWebhook):
        translated({**SAID[kind], "type": kind}, path)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("payment", {"refundId": "R-1"}),
        ("payment", {"trackingNumber": "1"}),
        ("payment", {"carrier": "cj"}),
        ("shipping", {"amount": 58000}),
        ("shipping", {"transactionId": "T"}),
        ("shipping", {"refundId": 7}),
    ],
)
def test_one_field_of_another_kind_is_enough(path: str, field: dict[str, Any]) -> None:
    least = {"orderId": 1, "status": "failed"}

    with pytest.raises(WrongEvent, match=f'"type": "{path}"'):
        translated(least | field, path)
    assert translated(least | field | {"type": path}, path)  # its signed type is what counts
    assert translated(least | dict.fromkeys(field), path)  # null says nothing


@pytest.mark.parametrize("kind", SAID)
def test_a_type_can_be_required(kind: str) -> None:
    received = posted(SAID[kind] | {"type": kind})

    require_type(received.body, kind)
    for other in (SAID[kind], SAID[kind] | {"type": None}, SAID[kind] | {"type": "other"}):
        with pytest.raises(WrongEvent, match="WEBHOOK_REQUIRE_TYPE"):
            require_type(posted(other).body, kind)
