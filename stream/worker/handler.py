"""The function by which a worker applies a batch of events to its service's store, as a service gives it."""

from collections.abc import Sequence
from typing import Protocol, TypeVar, cast

from sqlalchemy import Connection

from stream.events import Record
from stream.state.fold import Result

E = TypeVar("E", bound=Record)
E_contra = TypeVar("E_contra", bound=Record, contravariant=True)


class Handler(Protocol[E_contra]):
    """Applies new events, in order, to a service's store inside the batch's transaction; returns one result per event.

    Any exception but one of the store's means that one of these events fails.
    """

    def __call__(self, tx: Connection, events: Sequence[E_contra], /) -> Sequence[Result]: ...


def of_records(handler: Handler[E]) -> Handler[Record]:
    """Return `handler` itself, with the type of a handler of any record.

    That is safe because the topics that its service reads carry no records of other classes.
    """
    return cast("Handler[Record]", handler)
