"""The description of a service for its replays."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from stream.events import Record
from stream.events.topics import ServiceTopics, Topic
from stream.worker.handler import Handler


class ReplayImpossible(Exception):
    """A replay cannot be done as requested; the message is a sentence for the operator."""


def unchanged(record: Record) -> Record:
    """Return `record` itself: the default of `retranslate`, which keeps the translation from the webhook's arrival."""
    return record


def always_relevant(record: Record) -> bool:  # noqa: ARG001
    """Return True: the default of `is_relevant`."""
    return True


def nothing_to_finish(tx: Connection) -> None:
    """Do nothing: the default of `on_finish`."""


def nothing_to_carry_over(tx: Connection, live: str) -> None:
    """Do nothing: the default of `carry_over`."""


@dataclass(frozen=True, slots=True)
class ReplaySpec:
    """A service as a replay needs it.

    `publishes` are the topics of the service's own domain events. `also_reads` are topics that only a replay reads,
    because they record what became of earlier events. `is_relevant` returns whether a record is replayed. `retranslate`
    gets every record of a replay that asks for it: it returns the record of a webhook as the current code translates
    its raw body, and any other record unchanged. If it raises an exception, the record is dead: it cannot be decoded.

    `on_finish` is called in the transaction that finishes a replay. It must deactivate all rows that would have an
    outside effect, such as queued mails. `carry_over` is called in the transaction of a promotion, with the quoted name
    of the live schema. It must copy from there the rows that no topic holds. The search path is the replayed schema.

    `is_by_partition` allows parallel processes, of which each reads some partition numbers. The rows of the store must
    then be the same in whatever order partitions are read, if records of about the same time are read together.

    `ignored_columns` are left out when schemas are compared, and so are the rows that fulfil the SQL condition that
    `unreplayed_rows` has for a table, because no topic holds them.
    """

    source: ServiceTopics
    handler: Handler[Record]
    publishes: tuple[Topic, ...] = ()
    also_reads: tuple[Topic, ...] = ()
    is_relevant: Callable[[Record], bool] = always_relevant
    retranslate: Callable[[Record], Record] = unchanged
    on_finish: Callable[[Connection], None] = nothing_to_finish
    carry_over: Callable[[Connection, str], None] = nothing_to_carry_over
    is_by_partition: bool = False
    ignored_columns: frozenset[str] = frozenset()
    unreplayed_rows: Mapping[str, str] = field(default_factory=dict)

    @property
    def service(self) -> str:
        """The name of the service."""
        return self.source.name

    @property
    def package(self) -> str:
        """The Python package of the service, which has its migrations."""
        return self.source.package

    @property
    def topics(self) -> tuple[Topic, ...]:
        """The topics that the service's worker reads."""
        return self.source.reads
