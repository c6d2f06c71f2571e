"""What is replayed: a service's own code, what it may announce, and what topics alone cannot tell of its store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from stream.events import Record
from stream.events.topics import Topic
from stream.worker.bisection import Handler


class ReplayImpossible(Exception):
    """A replay that cannot be done as asked: a sentence for the person who asked."""


def as_it_was(record: Record) -> Record:
    """A record as it was translated when it came."""
    return record


def everything(record: Record) -> bool:  # noqa: ARG001
    """Every record matters."""
    return True


def nothing(tx: Connection) -> None:
    """A store whose topics tell all of it."""


def nothing_of(tx: Connection, live: str) -> None:
    """A store that has nothing but what its topics tell."""


@dataclass(frozen=True, slots=True)
class ReplaySpec:
    """A service as a replay needs it.

    `topics` are what its worker reads, `beside` what a replay reads too because it tells what became of things;
    `heeds` says of a record whether it matters. `announces` are the topics of its own facts. `reread` translates a
    webhook's raw body again. `settle` ends a replay: whatever in the store would act on the world is put to rest.
    `adopt` takes over from the live schema, named to it, what no topic tells; both run in the schema that is replayed.
    `is_by_partition` says that parts of its partitions may be replayed by processes of their own: whatever events of
    two partitions change together ends the same in any order, but for how far apart they were read.
    `aside` are columns in which equal stores may differ; `untold` says by SQL which rows of a table no topic tells.
    """

    service: str
    package: str
    topics: tuple[Topic, ...]
    handler: Handler
    announces: tuple[Topic, ...] = ()
    beside: tuple[Topic, ...] = ()
    heeds: Callable[[Record], bool] = everything
    reread: Callable[[Record], Record] = as_it_was
    settle: Callable[[Connection], None] = nothing
    adopt: Callable[[Connection, str], None] = nothing_of
    is_by_partition: bool = False
    aside: frozenset[str] = frozenset()
    untold: Mapping[str, str] = field(default_factory=dict)
