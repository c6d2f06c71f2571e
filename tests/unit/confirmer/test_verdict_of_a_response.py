"""What a provider's answer makes of a question."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from confirmer.api_response import ApiResponse, NoAnswer, Response, Unbuildable, api_health
from confirmer.verdict import (
    BACKOFF,
    MAX_UNREAD,
    Confirmed,
    Context,
    Refused,
    RetryLater,
    Unknown,
    ended_status,
    judge,
)
from providers.contract import (
    ApiRequest,
    ApiVerification,
    Contradicted,
    InvalidField,
    NotKnownYet,
    Received,
    Translation,
    Unsupported,
)
from stream.events import OrderId, PaymentPayload, UnconfirmedWebhook, VerificationRequest, ids
from tests.builders import NOON, an_envelope

SECOND = 1_000_000
HERE = Context(now=NOON, attempts=1, unread=0, mode="test")
TRUTH = PaymentPayload(order_id=OrderId("1"), status="completed", amount=58000)


def an_unconfirmed_webhook() -> UnconfirmedWebhook:
    verification_request = VerificationRequest(
        subject="payment", alias="pk-1", order_id=OrderId("1"), claims={"status": "DONE"}
    )
    envelope = replace_received(an_envelope(verification_request), NOON)
    return UnconfirmedWebhook(envelope=envelope, payload=verification_request)


def replace_received(envelope: Any, at: int) -> Any:
    return msgspec.structs.replace(envelope, received_at=at)


def an_inquiry(answers: Translation | Exception) -> ApiVerification:
    def read_answer(verification_request: VerificationRequest, received: Received, answer: bytes) -> Translation:
        if isinstance(answers, Exception):
            raise answers
        return answers

    return ApiVerification(
        "https://api.example.test", lambda _verification_request, _key: ApiRequest("GET", "/", {}), read_answer
    )


TRUE = an_inquiry(Translation(TRUTH, "payment.completed", NOON, "pk-1:DONE"))


def test_what_the_provider_says_itself_is_confirmed_under_the_id_that_its_answer_gives() -> None:
    verdict = judge(TRUE, an_unconfirmed_webhook(), ApiResponse(200, b'{"the": "answer"}'), HERE)

    assert isinstance(verdict, Confirmed)
    topic, key, event = verdict.event
    envelope = event.envelope
    assert (topic.name, key) == ("webhooks.payment.v1", "1")
    assert envelope.event_id == ids.event_id("generic", "test", "pk-1:DONE")
    assert (envelope.verification, envelope.raw) == ("confirmed", b'{"the": "answer"}')
    assert envelope.verification_request_id == an_unconfirmed_webhook().envelope.event_id


def test_what_the_provider_denies_is_rejected_once_it_had_time_to_learn_of_it() -> None:
    denying = an_inquiry(Contradicted("the payment is READY"))

    at_once = judge(denying, an_unconfirmed_webhook(), ApiResponse(200), HERE)
    later = judge(denying, an_unconfirmed_webhook(), ApiResponse(200), replace(HERE, now=NOON + 5 * SECOND))

    assert at_once == RetryLater("untrue: the payment is READY", 5.0)
    assert later == Refused("untrue", "untrue: the payment is READY")


def test_what_happened_in_the_other_mode_is_rejected() -> None:
    other = an_inquiry(Translation(TRUTH, "payment.completed", NOON, "pk-1:DONE", "live"))

    verdict = judge(other, an_unconfirmed_webhook(), ApiResponse(200), HERE)

    assert isinstance(verdict, Refused)
    assert verdict.cause == "other_mode"


@pytest.mark.parametrize("response", [ApiResponse(404), ApiResponse(410)])
def test_what_the_provider_does_not_know_is_asked_again_until_its_time_is_over(response: Response) -> None:
    last_second = replace(HERE, now=NOON + 3599 * SECOND, attempts=30)

    assert isinstance(judge(TRUE, an_unconfirmed_webhook(), response, HERE), RetryLater)
    assert judge(TRUE, an_unconfirmed_webhook(), response, last_second) == RetryLater(
        "the provider does not know it", 1.0
    )
    assert judge(TRUE, an_unconfirmed_webhook(), response, replace(HERE, now=NOON + 3600 * SECOND)) == Unknown(
        "unknown: the provider does not know it"
    )


def test_what_the_provider_does_not_know_yet_waits_like_what_it_does_not_know() -> None:
    waiting = an_inquiry(NotKnownYet("in progress"))

    assert judge(waiting, an_unconfirmed_webhook(), ApiResponse(200), HERE) == RetryLater(
        "in progress", BACKOFF.first_s
    )
    late = replace(HERE, now=NOON + 3600 * SECOND)
    assert judge(waiting, an_unconfirmed_webhook(), ApiResponse(200), late) == Unknown("unknown: in progress")


@pytest.mark.parametrize(
    "response",
    [
        NoAnswer("no answer"),
        ApiResponse(500),
        ApiResponse(503),
        ApiResponse(429),
        ApiResponse(408),
        ApiResponse(302),
        ApiResponse(401),
        ApiResponse(403),
    ],
)
def test_what_an_api_cannot_answer_is_asked_again_however_late_it_is(response: Response) -> None:
    years_later = replace(HERE, now=2 * NOON, attempts=10_000, unread=MAX_UNREAD)

    assert api_health(response, TRUE.refuses_key) != "well"
    assert isinstance(judge(TRUE, an_unconfirmed_webhook(), response, years_later), RetryLater)


def test_a_key_that_is_refused_in_the_body_of_a_200_is_a_problem_of_the_api() -> None:
    graphql = replace(TRUE, refuses_key=lambda body: b"UNAUTHENTICATED" in body)
    refusal = ApiResponse(200, b'{"errors": [{"extensions": {"code": "UNAUTHENTICATED"}}]}')
    years_later = replace(HERE, now=2 * NOON, attempts=10_000, unread=MAX_UNREAD)

    verdict = judge(graphql, an_unconfirmed_webhook(), refusal, years_later)

    assert api_health(refusal, graphql.refuses_key) == "refuses"
    assert isinstance(verdict, RetryLater)
    assert verdict.error == "the provider refuses the API key"
    assert api_health(ApiResponse(404, refusal.body), graphql.refuses_key) == "well"


@pytest.mark.parametrize("failure", [InvalidField("no status"), ValueError("a bug"), KeyError("b"), RecursionError()])
def test_an_answer_nobody_can_read_is_asked_for_a_few_times_and_no_more(failure: Exception) -> None:
    mess = an_inquiry(failure)
    verdicts = [
        judge(mess, an_unconfirmed_webhook(), ApiResponse(200), replace(HERE, unread=n)) for n in range(MAX_UNREAD)
    ]

    assert [isinstance(verdict, RetryLater) and verdict.unread for verdict in verdicts[:-1]] == [True] * (
        MAX_UNREAD - 1
    )
    assert isinstance(verdicts[-1], Unknown)
    assert verdicts[-1].error.startswith("no readable answer: ")


@pytest.mark.parametrize("response", [ApiResponse(400), ApiResponse(422), Unbuildable("no request can be built")])
def test_a_verification_request_the_api_does_not_take_is_like_an_answer_nobody_can_read(response: Response) -> None:
    assert api_health(response, TRUE.refuses_key) == "well"
    verdict = judge(TRUE, an_unconfirmed_webhook(), response, HERE)
    assert isinstance(verdict, RetryLater)
    assert verdict.unread
    assert isinstance(judge(TRUE, an_unconfirmed_webhook(), response, replace(HERE, unread=MAX_UNREAD)), Unknown)


def test_an_answer_that_is_nothing_we_act_on_ends_the_asking() -> None:
    assert isinstance(
        judge(an_inquiry(Unsupported("a billing key")), an_unconfirmed_webhook(), ApiResponse(200), HERE), Unknown
    )


@pytest.mark.parametrize(
    "answer", [Contradicted("no"), NotKnownYet(), Unsupported("no"), InvalidField("no"), RecursionError()]
)
def test_the_error_of_a_verification_request_that_has_ended_says_so_by_its_beginning(answer: Exception) -> None:
    years_later = replace(HERE, now=2 * NOON, unread=MAX_UNREAD)

    verdict = judge(an_inquiry(answer), an_unconfirmed_webhook(), ApiResponse(200), years_later)

    assert isinstance(verdict, Refused | Unknown)
    assert ended_status(verdict.error) == ("untrue" if isinstance(verdict, Refused) else "unknown")
