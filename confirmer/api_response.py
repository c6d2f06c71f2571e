"""The responses to requests to a provider's API, and the state of the API that they show. Pure."""

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
    """The API did not answer, or not in time."""

    error: str


@dataclass(frozen=True, slots=True)
class Unbuildable:
    """No API request could be built for the webhook."""

    error: str


Response = ApiResponse | NoAnswer | Unbuildable
ApiHealth = Literal["well", "away", "refuses"]


def api_health(response: Response) -> ApiHealth:
    """Return the state of the API: it works, it cannot answer now, or it refuses the key."""
    match response:
        case ApiResponse(401 | 403):
            return "refuses"
        case NoAnswer() | ApiResponse(408 | 425 | 429):
            return "away"
        case ApiResponse(status) if 300 <= status < 400 or status >= 500:  # noqa: PLR2004 - RFC 9110 §15
            return "away"
        case _:
            return "well"
