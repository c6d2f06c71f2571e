"""A webhook is read again from its bytes alone: what was right stays, what a bug made of it is repaired."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from providers import catalogue
from providers.contract import Received
from providers.records import webhook_record
from providers.retranslate import retranslate
from stream.events import PaymentWebhook
from tests.builders import NOON


@given(st.sampled_from(["completed", "failed", "cancelled", "pending"]), st.integers(1, 10**9))
def test_what_was_translated_right_is_the_same_again(status: str, amount: int) -> None:
    record = a_record({"orderId": 1, "status": status, "amount": amount})

    assert retranslate(record) == record


def test_what_a_bug_made_of_a_webhook_is_repaired() -> None:
    record = a_record({"orderId": 1, "status": "completed", "amount": 58000}, amount=580)

    again = retranslate(record)

    assert isinstance(again, PaymentWebhook)
    assert again.payload.amount == 58000
    assert again.envelope.received_at == record.envelope.received_at


def test_what_a_provider_confirmed_stays_as_it_was() -> None:
    record = a_record({"orderId": 1, "status": "completed"}, amount=580)
    confirmed = msgspec.structs.replace(
        record, envelope=msgspec.structs.replace(record.envelope, verification="confirmed")
    )

    assert retranslate(confirmed) is confirmed


def a_record(changes: dict[str, object], **wrong: int) -> PaymentWebhook:
    received = Received("/webhooks/payment", {}, msgspec.json.encode(changes), NOON)
    provider, kind = catalogue.find(received.path, received.headers)
    translation = provider.translate(received, kind)
    translation = msgspec.structs.replace(translation, payload=msgspec.structs.replace(translation.payload, **wrong))
    record = webhook_record(provider, received, "signature", translation, "test").webhook
    assert isinstance(record, PaymentWebhook)
    return record
