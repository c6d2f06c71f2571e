"""What is told of an answer; one of which nothing can be told must not end the poller."""

import pytest

from confirmer.api_response import ApiResponse
from confirmer.claims import ClaimedVerification
from confirmer.polling.outcome_messages import OutcomeMessages, conclude
from confirmer.verdict import Confirmed, Context, RetryLater, Unknown
from providers.contract import ApiRequest, ApiVerification, Received, Translation
from stream.avro.codec import Codec
from stream.avro.registry import CommittedRegistry
from stream.events import OrderId, PaymentPayload, UnconfirmedWebhook, VerificationRequest, topics
from tests.builders import NOON, an_envelope

VERIFICATION_REQUEST = VerificationRequest(subject="payment", alias="pk-1", order_id=OrderId("1"), claims={})
RECEIPT = UnconfirmedWebhook(envelope=an_envelope(VERIFICATION_REQUEST), payload=VERIFICATION_REQUEST)
OPEN = (ClaimedVerification(RECEIPT.envelope.event_id, 1, 0, b"", 0, 0), RECEIPT)
MESSAGES = OutcomeMessages("confirmer", Codec(CommittedRegistry()))
UNTELLABLE = [
    pytest.param({"amount": 2**70}, id="a number no record holds"),
    pytest.param({"failure_reason": "x" * 1_000_000}, id="too long for Kafka"),
    pytest.param({"failure_reason": "\ud800"}, id="no text in any encoding"),
]


def answering(**fields: object) -> ApiVerification:
    """An API that confirms the payment and says so much more of it."""
    payload = PaymentPayload(**{"order_id": "1", "status": "completed", "amount": 58000, **fields})  # type: ignore[arg-type]

    def read_answer(_verification_request: VerificationRequest, _received: Received, _answer: bytes) -> Translation:
        return Translation(payload, "payment.completed", NOON, "pk-1:DONE")

    return ApiVerification(
        "https://api.example.test", lambda _verification_request, _key: ApiRequest("GET", "/", {}), read_answer
    )


def at_attempt(unread: int) -> Context:
    return Context(now=NOON, attempts=1 + unread, unread=unread, mode="test")


def test_what_is_confirmed_is_told_on_its_topic_and_as_an_outcome() -> None:
    verdict, published = conclude(answering(), OPEN, ApiResponse(200), at_attempt(0), MESSAGES)

    assert isinstance(verdict, Confirmed)
    assert [message.topic for message in published] == [topics.PAYMENT_WEBHOOKS.name, topics.OUTCOMES.name]


@pytest.mark.parametrize("fields", UNTELLABLE)
def test_an_answer_that_no_record_can_hold_is_asked_for_again_and_given_up_in_the_end(
    fields: dict[str, object],
) -> None:
    verdict, published = conclude(answering(**fields), OPEN, ApiResponse(200), at_attempt(0), MESSAGES)

    assert isinstance(verdict, RetryLater)
    assert verdict.unread
    assert published == []

    verdict, published = conclude(answering(**fields), OPEN, ApiResponse(200), at_attempt(4), MESSAGES)

    assert isinstance(verdict, Unknown)
    assert [message.topic for message in published] == [topics.OUTCOMES.name]
