"""Whatever a provider's API answers, it is the truth, untrue, not known yet or unreadable: nothing else."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers import catalogue
from providers.confirmation import confirmed_event
from providers.contract import Contradicted, InvalidField, NotKnownYet, Provider, Unsupported
from providers.records import webhook_record
from stream.avro.codec import Codec
from stream.avro.registry import CommittedRegistry
from stream.events import UnconfirmedWebhook, VerificationRequest
from tests.unit.providers.api_answers import received

CODEC = Codec(CommittedRegistry())
RAISING: dict[str, Any] = {
    "toss": {"createdAt": "2024-02-13T13:53:20", "secret": "s", "status": "DONE", "orderId": "O-1"},
    "portone_v1": {"imp_uid": "O-1", "status": "paid"},
    "portone_v2": {"payment_id": "O-1", "status": "Paid"},
    "inicis": {"no_tid": "O-1", "type_msg": "0200"},
}
ASKED = [pytest.param(provider, id=provider.name) for provider in catalogue.PROVIDERS if provider.name in RAISING]
FIELDS = (
    "paymentKey orderId status lastTransactionKey method totalAmount currency approvedAt secret cancels failure code "
    "response imp_uid merchant_uid amount cancel_amount cancel_history paid_at id transactionId cancellations paidAt "
    "resultCode tid oid price transactionStatus approvedDate approvedTime vacctInfo"
).split()
WORDS: list[Any] = [
    "DONE", "PAID", "paid", "SUCCESS", "APPROVAL", "O-1", "s", "KRW", "2024-01-01T00:00:00Z", "20240101", "", 0, 1,
    10**15, -1, 1.5, None, True, [], {}, [{"cancelAmount": 1}], {"total": 1}, [{"id": "c", "totalAmount": 1}],
]  # fmt: skip
RIGHT = {"paymentKey": "p", "orderId": "O-1", "imp_uid": "O-1", "id": "O-1", "tid": "O-1", "secret": "s"}


@pytest.mark.parametrize("provider", ASKED)
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    changes=st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(WORDS), max_size=8),
    status=st.sampled_from(["DONE", "PAID", "paid"]),
    junk=st.binary(max_size=6),
)
def test_any_answer_is_read_or_refused(provider: Provider, changes: dict[str, Any], status: str, junk: bytes) -> None:
    answer = RIGHT | {"status": status, "resultCode": "SUCCESS", "transactionStatus": "APPROVAL"} | changes
    posted = received(provider, RAISING[provider.name])
    requested = webhook_record(
        provider, posted, "unsigned_allowed", provider.translate(posted, "payment"), "test"
    ).webhook
    assert isinstance(requested, UnconfirmedWebhook)
    assert provider.api_verification

    whole = json.dumps(answer).encode()
    for body in (whole, json.dumps({"response": answer}).encode(), junk, whole[: len(whole) // 2] + junk):
        try:
            translation = provider.api_verification.read_response(requested.payload, posted, body)
        except (Contradicted, NotKnownYet, InvalidField, Unsupported):
            continue
        record = confirmed_event(requested, translation, body).webhook
        assert CODEC.decode(CODEC.encode(record)) == record


@pytest.mark.parametrize("subject", ["payment", "invoice", "transaction"])
@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in catalogue.PROVIDERS if row.api_verification])
def test_an_answer_that_is_not_json_is_unreadable(row: Provider, subject: str) -> None:
    assert row.api_verification
    posted = received(row, {})

    with pytest.raises(InvalidField):
        row.api_verification.read_response(VerificationRequest(subject=subject, alias="1"), posted, b"<html>")
