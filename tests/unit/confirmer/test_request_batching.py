"""What would be asked twice is asked once, and what cannot be asked holds nothing up."""

from confirmer.api_response import Unbuildable
from confirmer.claims import ClaimedVerification
from confirmer.polling.request_batching import batch_requests
from providers.contract import ApiRequest, ApiVerification, NotKnownYet, Received, Translation
from stream.events import UnconfirmedWebhook, VerificationRequest
from tests.builders import an_envelope


def a_verification_request(number: int, alias: str, claim: str = "") -> tuple[ClaimedVerification, UnconfirmedWebhook]:
    verification_request = VerificationRequest(subject="payment", alias=alias, claims={"status": claim})
    unconfirmed = UnconfirmedWebhook(envelope=an_envelope(verification_request), payload=verification_request)
    return ClaimedVerification(f"receipt-{number}", 1, 0, b"", 0, number), unconfirmed


def ask(verification_request: VerificationRequest, key: str) -> ApiRequest:
    if verification_request.alias == "odd":
        raise UnicodeEncodeError("ascii", "odd", 0, 1, "a bug")
    return ApiRequest("GET", f"/payments/{verification_request.alias}", {"Authorization": key})


def read_answer(verification_request: VerificationRequest, received: Received, answer: bytes) -> Translation:
    raise NotKnownYet


INQUIRY = ApiVerification("https://api.example.test", ask, read_answer)


def test_verification_requests_about_one_payment_are_one_request_whatever_they_claim() -> None:
    verification_requests = [
        a_verification_request(1, "a", "DONE"),
        a_verification_request(2, "b"),
        a_verification_request(3, "a", "CANCELED"),
    ]

    requests = batch_requests(verification_requests, INQUIRY, "key")

    assert [request.request for request in requests] == [
        ask(verification_requests[0][1].payload, "key"),
        ask(verification_requests[1][1].payload, "key"),
    ]
    assert [[claimed.offset for claimed, _ in request.verifications] for request in requests] == [[1, 3], [2]]


def test_a_verification_request_of_which_no_request_can_be_made_stands_alone() -> None:
    requests = batch_requests(
        [a_verification_request(1, "odd"), a_verification_request(2, "odd"), a_verification_request(3, "a")],
        INQUIRY,
        "key",
    )

    assert [isinstance(request.request, Unbuildable) for request in requests] == [True, True, False]
