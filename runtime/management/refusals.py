"""Refusals that the management routes of several services share: a malformed request, a store that does not answer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import exc

from runtime.management.routes import RequestRefused


def malformed(message: str) -> RequestRefused:
    """Return the refusal (400) of a request with a wrong field, which `message` names."""
    return RequestRefused(400, "malformed", message)


def required_text(request: Mapping[str, object], name: str, longest: int) -> str:
    """Return the field `name` without surrounding white space.

    Raises RequestRefused unless the field is a text of 1 to `longest` printable characters.
    """
    value = request.get(name)
    if not (isinstance(value, str) and 0 < len(value.strip()) <= longest and value.isprintable()):
        raise malformed(f"{name} must be a text of 1 to {longest} printable characters")
    return value.strip()


@contextmanager
def refused_while_store_is_away(service: str) -> Iterator[None]:
    """Raise RequestRefused (503) if the block fails with an SQLAlchemyError."""
    try:
        yield
    except exc.SQLAlchemyError as failure:
        message = f"the store of the {service} does not answer; try again"
        raise RequestRefused(503, "store_away", message) from failure
