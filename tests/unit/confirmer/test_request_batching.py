"""What would be asked twice is asked once, and what cannot be asked holds nothing up."""

from confirmer.polling.request_batching import batch_requests
from confirmer.store import ClaimedVerification
from confirmer.verdict import Unbuildable
from providers.contract import ApiRequest, ApiVerification, NotKnownYet, Received, Translation
from stream.events import Question, UnconfirmedWebhook
from tests.builders import an_envelope


def a_question(number: int, reference: str, claim: str = "") -> tuple[ClaimedVerification, UnconfirmedWebhook]:
    question = Question(subject="payment", reference=reference, claims={"status": claim})
    receipt = UnconfirmedWebhook(envelope=an_envelope(question), notice=question)
    return ClaimedVerification(f"receipt-{number}", 1, 0, b"", 0, number), receipt


def ask(question: Question, key: str) -> ApiRequest:
    if question.reference == "odd":
        raise UnicodeEncodeError("ascii", "odd", 0, 1, "a bug")
    return ApiRequest("GET", f"/payments/{question.reference}", {"Authorization": key})


def read_answer(question: Question, received: Received, answer: bytes) -> Translation:
    raise NotKnownYet


INQUIRY = ApiVerification("https://api.example.test", ask, read_answer)


def test_questions_about_one_payment_are_one_request_whatever_they_claim() -> None:
    questions = [a_question(1, "a", "DONE"), a_question(2, "b"), a_question(3, "a", "CANCELED")]

    requests = batch_requests(questions, INQUIRY, "key")

    assert [request.request for request in requests] == [
        ask(questions[0][1].notice, "key"),
        ask(questions[1][1].notice, "key"),
    ]
    assert [[claimed.offset for claimed, _ in request.verifications] for request in requests] == [[1, 3], [2]]


def test_a_question_of_which_no_request_can_be_made_stands_alone() -> None:
    requests = batch_requests([a_question(1, "odd"), a_question(2, "odd"), a_question(3, "a")], INQUIRY, "key")

    assert [isinstance(request.request, Unbuildable) for request in requests] == [True, True, False]
