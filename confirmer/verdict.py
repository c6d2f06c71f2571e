"""What a provider's answer makes of a question: confirmed, rejected, unknown for good, or to be asked again. Pure."""

from dataclasses import dataclass
from typing import Literal

from providers.addressing import Addressed
from providers.confirmation import confirmed
from providers.contract import (
    ApiVerification,
    Contradicted,
    NotKnownYet,
    Received,
    RefusedWebhook,
    Translation,
    Unsupported,
)
from stream.events import Mode, Question, UnconfirmedWebhook

BACKOFF_S = (1.0, 300.0)
UNREAD_TIMES = 5
"""So often an answer may be one that nobody can read, before we stop asking for it."""
ERROR_CHARS = 300
LEAST_S = 0.5
LAG_S = 5.0
"""A provider's API may be so much behind its own webhooks."""
ENDINGS = ("untrue:", "unknown:", "no readable answer:", "the answer is nothing we act on:")
"""So begins the error of a question that has ended."""


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """An answer over HTTP, and the seconds its `Retry-After` asks us to wait."""

    status: int
    body: bytes = b""
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nobody answered, or not in time."""

    error: str


@dataclass(frozen=True, slots=True)
class Unbuildable:
    """No request could be made of the question."""

    error: str


Response = ApiResponse | NoAnswer | Unbuildable
Standing = Literal["well", "away", "refuses"]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The provider says so itself."""

    event: Addressed


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider says otherwise (`untrue`), or it happened elsewhere (`other_mode`)."""

    cause: Literal["untrue", "other_mode"]
    error: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody will know any more."""

    error: str


@dataclass(frozen=True, slots=True)
class RetryLater:
    """To be asked again after so many seconds; `unread`: there was an answer, and no sense in it."""

    error: str
    seconds: float
    unread: bool = False


Verdict = Confirmed | Rejected | Unknown | RetryLater


@dataclass(frozen=True, slots=True)
class Context:
    """When and how often: the time in microseconds, this attempt's number, unread answers before, and a chance.

    `mode` is that of the system. `chance` is between 0 and 1; it spreads what would else be asked all at once.
    """

    now: int
    attempts: int
    unread: int
    mode: Mode
    chance: float = 1.0


def standing(response: Response) -> Standing:
    """How the provider's API itself is: it works, it cannot answer now, or it does not take our key."""
    match response:
        case ApiResponse(401 | 403):
            return "refuses"
        case NoAnswer() | ApiResponse(408 | 425 | 429):
            return "away"
        case ApiResponse(status) if 300 <= status < 400 or status >= 500:  # noqa: PLR2004 - RFC 9110 §15
            return "away"
        case _:
            return "well"


def judge(inquiry: ApiVerification, receipt: UnconfirmedWebhook, response: Response, here: Context) -> Verdict:
    """What becomes of a question now."""
    if isinstance(response, Unbuildable):
        return unread(response.error, here)
    if standing(response) != "well" or isinstance(response, NoAnswer):
        return RetryLater(_said(response), backoff(here.attempts, here.chance))
    if response.status in (404, 410):
        return _not_known("the provider does not know it", inquiry, receipt, here)
    if response.status >= 400:  # noqa: PLR2004 - RFC 9110 §15
        return unread(_said(response), here)
    return _read(inquiry, receipt, response.body, here)


def backoff(attempts: int, chance: float) -> float:
    """Seconds to the next attempt: twice as long each time, up to five minutes, less by up to a half."""
    least, most = BACKOFF_S
    return min(most, least * 2.0 ** min(attempts - 1, 30)) * (0.5 + chance / 2)


def _read(inquiry: ApiVerification, receipt: UnconfirmedWebhook, body: bytes, here: Context) -> Verdict:
    envelope, question = receipt.envelope, receipt.notice
    received = Received(envelope.path, envelope.headers, envelope.raw, envelope.received_at)
    try:
        told = inquiry.read_response(question, received, body)
        return _told(receipt, told, body, here.mode)
    except Contradicted as denial:
        return _denied(f"untrue: {denial}"[:ERROR_CHARS], receipt, here)
    except NotKnownYet as not_yet:
        return _not_known(str(not_yet) or "the provider does not know it yet", inquiry, receipt, here)
    except Unsupported as nothing:
        return Unknown(f"the answer is nothing we act on: {nothing}"[:ERROR_CHARS])
    except RefusedWebhook as unreadable:
        return unread(str(unreadable), here)
    except Exception as broken:  # noqa: BLE001 - an answer nobody foresaw must not hold up the other questions
        return unread(f"{type(broken).__name__} on reading the answer", here)


def _denied(error: str, receipt: UnconfirmedWebhook, here: Context) -> Verdict:
    """What an API denies at once it may only not have heard yet; a little later it means it."""
    left_s = (receipt.envelope.received_at - here.now) / 1e6 + LAG_S
    return RetryLater(error, left_s) if left_s > 0 else Rejected("untrue", error)


def _told(receipt: UnconfirmedWebhook, told: Translation, body: bytes, mode: Mode) -> Verdict:
    if isinstance(told.notice, Question):
        raise RefusedWebhook("the answer raises another question")
    if told.mode not in (None, mode):
        return Rejected("other_mode", f"untrue: it happened in {told.mode} mode, and this is {mode}")
    return Confirmed(confirmed(receipt, told, body))


def _not_known(error: str, inquiry: ApiVerification, receipt: UnconfirmedWebhook, here: Context) -> Verdict:
    """Asked again while the provider may still learn of it, for a last time when that time is over."""
    left_s = (receipt.envelope.received_at - here.now) / 1e6 + inquiry.unknown_after_s
    if left_s <= 0:
        return Unknown(f"unknown: {error}"[:ERROR_CHARS])
    return RetryLater(error[:ERROR_CHARS], max(LEAST_S, min(backoff(here.attempts, here.chance), left_s)))


def unread(error: str, here: Context) -> Verdict:
    """What becomes of an answer nobody can make sense of: asked again a few times, then given up."""
    said = f"no readable answer: {error}"[:ERROR_CHARS]
    if here.unread + 1 >= UNREAD_TIMES:
        return Unknown(said)
    return RetryLater(said, backoff(here.attempts, here.chance), unread=True)


def _said(response: ApiResponse | NoAnswer) -> str:
    return f"the provider answered {response.status}" if isinstance(response, ApiResponse) else response.error
