"""The settings of a service with a worker: its database, and its batches, retries and replays."""

from pydantic import Field, field_validator

from runtime.config import database_url
from runtime.config.settings import Settings


class WorkerSettings(Settings):
    """The settings of every service with a worker, which writes to a Postgres store."""

    database_url: str = Field(description="database of this service, postgresql://role:password@host:port/name")
    direct_database_url: str | None = Field(
        None,
        description="the same database without a pooler, for LISTEN, migrations and replays; unset: DATABASE_URL",
    )
    database_prepare: bool = Field(
        default=True,
        description="use prepared statements and start-up options; false behind PgBouncer in transaction pooling",
    )
    batch_size: int = Field(1000, ge=1, le=10_000, description="maximum number of events in one transaction")
    gather_ms: int = Field(
        50,
        ge=0,
        le=5000,
        description="milliseconds that a batch waits for more events after its first, unless it is full"
        " (notifier: 80, console: 500)",
    )
    fetch_gather_ms: int = Field(
        0,
        ge=0,
        le=5000,
        description="milliseconds for which Kafka gathers records before it answers a fetch; 0: it answers at the first"
        " one (notifier: 150, order: 200, console: 400, confirmer: 500)",
    )
    retry_first_s: float = Field(
        2.0,
        gt=0,
        le=3600,
        description="seconds until a failed event is retried; each further wait is 4 times as long",
    )
    max_retrying: int = Field(
        100,
        ge=2,
        description="consumption stops while this many events are retrying, as the cause is then probably ours",
    )
    wait_limit_s: float = Field(
        86_400,
        gt=0,
        description="seconds that an event may wait for the event it needs before it is reported as ABANDONED",
    )
    replay_batch_size: int = Field(
        5000,
        ge=100,
        le=100_000,
        description="maximum number of events in one transaction of a replay; each takes about 10 KB of memory",
    )
    replay_processes: int = Field(
        1,
        ge=1,
        le=64,
        description="maximum number of processes that replay partitions in parallel, if the service's state allows it",
    )

    @field_validator("database_url", "direct_database_url")
    @classmethod
    def _is_database(cls, url: str | None) -> str | None:
        if url is not None:
            database_url.parse(url)
        return url

    @property
    def session_url(self) -> str:
        """The URL that bypasses a transaction pooler, for LISTEN, advisory locks and session settings."""
        return self.direct_database_url or self.database_url
