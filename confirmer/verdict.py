"""Decides from an API response what becomes of a verification: confirmed, refused, unknown, or to retry. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from confirmer.api_response import ApiResponse, NoAnswer, Response, Unbuildable, api_health
from providers.addressing import KeyedWebhook
from providers.confirmation import confirmed_event
from providers.contract import (
    ApiVerification,
    Contradicted,
    NotKnownYet,
    Received,
    RefusedWebhook,
    Translation,
    Unsupported,
)
from runtime.timing.backoff import Backoff
from stream.events import Mode, UnconfirmedWebhook, VerificationRequest

BACKOFF = Backoff(1.0, 300.0)
MAX_UNREAD = 5
"""The number of unreadable responses with which a verification ends as unknown."""
ERROR_CHARS = 300
MIN_RETRY_S = 0.5
API_LAG_S = 5.0
"""Seconds by which a provider's API may lag behind its webhooks; so long, a contradiction is tried again."""
KEY_REFUSED = "the provider refuses the API key"
EndedStatus = Literal["untrue", "unknown"]
UNTRUE, NOT_KNOWN, UNREAD, NOTHING = "untrue", "unknown", "no readable answer", "the answer is nothing we act on"
STATUS_OF: Mapping[str, EndedStatus] = {
    UNTRUE: "untrue",
    NOT_KNOWN: "unknown",
    UNREAD: "unknown",
    NOTHING: "unknown",
}
"""The part of an error before its colon → the status of a verification that ended with this error.

A replay reads the status from the error of the published outcome.
"""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The provider confirmed the webhook; `event` is the confirmed webhook with its topic and key."""

    event: KeyedWebhook


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider contradicted the webhook (`untrue`), or it belongs to the other mode (`other_mode`)."""

    cause: Literal["untrue", "other_mode"]
    error: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The provider does not know what the webhook reports, or gave no usable answer. No request is sent again."""

    error: str


@dataclass(frozen=True, slots=True)
class RetryLater:
    """The request is sent again after `seconds`. `unread` is True if a response could not be read."""

    error: str
    seconds: float
    unread: bool = False


Verdict = Confirmed | Refused | Unknown | RetryLater


@dataclass(frozen=True, slots=True)
class Context:
    """The circumstances of one attempt.

    `now` is the time in microseconds, `attempts` the number of this attempt, `unread` the number of unreadable
    responses before it, `mode` the system's mode. A random `chance` between 0 and 1 spreads retries over time
    (`Backoff.wait_s`).
    """

    now: int
    attempts: int
    unread: int
    mode: Mode
    chance: float = 1.0


def judge(
    api_verification: ApiVerification, webhook: UnconfirmedWebhook, response: Response, context: Context
) -> Verdict:
    """Return the verdict on a verification by the response to its request.

    The request is sent again without limit while the API is away or refuses the key; until `unknown_after_s` while the
    API does not know the webhook's subject; for API_LAG_S while it contradicts the webhook; and until MAX_UNREAD
    responses could not be read. Raises nothing: a response on which the provider's module fails cannot be read.
    """
    if isinstance(response, Unbuildable):
        return unreadable(response.error, context)
    health = api_health(response, api_verification.refuses_key)
    if health != "well" or isinstance(response, NoAnswer):
        error = KEY_REFUSED if health == "refuses" else _describe(response)
        return RetryLater(error, BACKOFF.wait_s(context.attempts, context.chance))
    if response.status in (404, 410):
        return _not_known("the provider does not know it", api_verification, webhook, context)
    if response.status >= 400:  # noqa: PLR2004 - RFC 9110 §15
        return unreadable(_describe(response), context)
    return _read_response(api_verification, webhook, response.body, context)


def ended_status(error: str | None) -> EndedStatus | None:
    """Return the status of a verification by the error of its published outcome.

    None without an error, and for an error that is not in STATUS_OF: the outcome then ended no verification as untrue
    or unknown.
    """
    return STATUS_OF.get((error or "").partition(":")[0])


def _read_response(
    api_verification: ApiVerification, webhook: UnconfirmedWebhook, body: bytes, context: Context
) -> Verdict:
    envelope, verification_request = webhook.envelope, webhook.payload
    received = Received(envelope.path, envelope.headers, envelope.raw, envelope.received_at)
    try:
        translation = api_verification.read_response(verification_request, received, body)
        return _confirmed(webhook, translation, body, context.mode)
    except Contradicted as denial:
        return _contradicted(f"{UNTRUE}: {denial}"[:ERROR_CHARS], webhook, context)
    except NotKnownYet as not_yet:
        return _not_known(str(not_yet) or "the provider does not know it yet", api_verification, webhook, context)
    except Unsupported as nothing:
        return Unknown(f"{NOTHING}: {nothing}"[:ERROR_CHARS])
    except RefusedWebhook as failure:
        return unreadable(str(failure), context)
    except Exception as failure:  # noqa: BLE001 - an unforeseen response must not hold up the other verifications
        return unreadable(f"{type(failure).__name__} on reading the answer", context)


def _contradicted(error: str, webhook: UnconfirmedWebhook, context: Context) -> Verdict:
    """Refuse, or retry within API_LAG_S of the webhook: the API may not know the change yet."""
    left_s = (webhook.envelope.received_at - context.now) / 1e6 + API_LAG_S
    return RetryLater(error, left_s) if left_s > 0 else Refused("untrue", error)


def _confirmed(webhook: UnconfirmedWebhook, translation: Translation, body: bytes, mode: Mode) -> Verdict:
    if isinstance(translation.payload, VerificationRequest):
        raise RefusedWebhook("the answer raises another verification request")
    if translation.mode not in (None, mode):
        return Refused("other_mode", f"{UNTRUE}: the event is of {translation.mode} mode, this system of {mode} mode")
    return Confirmed(confirmed_event(webhook, translation, body))


def _not_known(error: str, api_verification: ApiVerification, webhook: UnconfirmedWebhook, context: Context) -> Verdict:
    """Retry while the provider may still learn of it, and a last time when `unknown_after_s` is over."""
    left_s = (webhook.envelope.received_at - context.now) / 1e6 + api_verification.unknown_after_s
    if left_s <= 0:
        return Unknown(f"{NOT_KNOWN}: {error}"[:ERROR_CHARS])
    return RetryLater(
        error[:ERROR_CHARS], max(MIN_RETRY_S, min(BACKOFF.wait_s(context.attempts, context.chance), left_s))
    )


def unreadable(error: str, context: Context) -> Verdict:
    """Return the verdict on a response that cannot be read: RetryLater; Unknown for the MAX_UNREAD-th such response."""
    text = f"{UNREAD}: {error}"[:ERROR_CHARS]
    if context.unread + 1 >= MAX_UNREAD:
        return Unknown(text)
    return RetryLater(text, BACKOFF.wait_s(context.attempts, context.chance), unread=True)


def _describe(response: ApiResponse | NoAnswer) -> str:
    return f"the provider answered {response.status}" if isinstance(response, ApiResponse) else response.error
