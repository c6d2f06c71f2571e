"""The refusal that the management routes of every service with a store share: the store does not answer."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from runtime.management.routes import RequestRefused


@contextmanager
def refused_while_store_is_away(service: str) -> Iterator[None]:
    """Raise RequestRefused (503) if the block fails with an SQLAlchemyError."""
    try:
        yield
    except exc.SQLAlchemyError as failure:
        message = f"the store of the {service} does not answer; try again"
        raise RequestRefused(503, "store_away", message) from failure
