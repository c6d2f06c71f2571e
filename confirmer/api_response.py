"""The responses to requests to a provider's API, and the state of the API that they show. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """An HTTP response, and the seconds of its `Retry-After`."""

    status: int
    body: bytes = b""
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The API sent no response that can be used: none at all, too late, too long or compressed."""

    error: str


@dataclass(frozen=True, slots=True)
class Unbuildable:
    """No request was sent, because none can be built for the webhook."""

    error: str


Response = ApiResponse | NoAnswer | Unbuildable
ApiHealth = Literal["well", "away", "refuses"]
"""The API works, cannot answer now, or refuses the key; the labels of a metric."""


def api_health(response: Response, refuses_key: Callable[[bytes], bool]) -> ApiHealth:
    """Return the state of the API: `refuses` for 401 and 403, `away` for no answer, 3xx, 5xx, 408, 425, 429.

    A 2xx response is `refuses` too if `refuses_key` says so of its body (`ApiVerification.refuses_key`). Anything else
    is `well`: errors about one webhook, such as 404 and Unbuildable, show no problem of the API.
    """
    match response:
        case ApiResponse(401 | 403):
            return "refuses"
        case ApiResponse(status, body) if 200 <= status < 300 and refuses_key(body):  # noqa: PLR2004 - RFC 9110 §15
            return "refuses"
        case NoAnswer() | ApiResponse(408 | 425 | 429):
            return "away"
        case ApiResponse(status) if 300 <= status < 400 or status >= 500:  # noqa: PLR2004 - RFC 9110 §15
            return "away"
        case _:
            return "well"
