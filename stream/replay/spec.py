"""The description of a service for its replays."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from stream.events import Record
from stream.events.topics import ServiceTopics, Topic
from stream.worker.bisection import Handler


class ReplayImpossible(Exception):
    """A replay cannot be done as requested; the message is a sentence for the operator."""


def unchanged(record: Record) -> Record:
    """Return the record as it was translated when its webhook arrived: the default of `retranslate`."""
    return record


def always_relevant(record: Record) -> bool:  # noqa: ARG001
    """Return True: the default of `is_relevant`."""
    return True


def no_settling(tx: Connection) -> None:
    """Do nothing: the default of `settle`."""


def nothing_to_carry_over(tx: Connection, live: str) -> None:
    """Do nothing: the default of `carry_over`."""


@dataclass(frozen=True, slots=True)
class ReplaySpec:
    """A service as a replay needs it.

    `also_reads` are topics that only a replay reads, because they record what became of earlier events. `is_relevant`
    says whether a record is replayed. `publishes` are the topics of the service's own domain events. `retranslate`
    translates a webhook's raw body again.

    `settle` ends a replay: it deactivates all rows that would have an outside effect, such as queued mails.
    `carry_over` copies from the live schema, whose name it gets, the rows that no topic holds. Both run with the
    replayed schema as search path.

    `is_by_partition` allows parallel processes that each read some partition numbers: the resulting rows must not
    depend on the order in which different partitions are read, except when they are read far apart.

    `ignored_columns` are left out when schemas are compared; `unreplayed_rows` has, by table, an SQL condition for rows
    that no topic holds.
    """

    source: ServiceTopics
    handler: Handler[Record]
    publishes: tuple[Topic, ...] = ()
    also_reads: tuple[Topic, ...] = ()
    is_relevant: Callable[[Record], bool] = always_relevant
    retranslate: Callable[[Record], Record] = unchanged
    settle: Callable[[Connection], None] = no_settling
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
