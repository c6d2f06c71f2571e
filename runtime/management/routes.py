"""The routes of a management listener, which services define, and how a route refuses a request."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

RouteHandler = Callable[[Mapping[str, object]], object]
"""Takes the query of a GET, or the JSON object of a POST. Returns bytes (metrics), or a value to encode as JSON.

Raises RequestRefused to answer with another status than 200.
"""
Routes = Mapping[tuple[str, str], RouteHandler]
"""Routes by method (GET or POST) and path; all of them need the token."""

NO_ROUTES: Routes = MappingProxyType({})


class RequestRefused(Exception):
    """Refuses a request to a route: an HTTP status, an error code for programs and a sentence for people."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
