"""Calls the services' management listeners, and reads their status: health, backlog, mails, spool."""

import re
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock

from console.web.records import Records
from runtime.clients.loopback import Response
from runtime.clients.management_client import ManagementClient, ServiceUnreachable
from runtime.health import Check
from runtime.json_value import JsonValue

FRESH_S = 2.0
"""How long the statuses are kept before they are read again."""
TIMEOUT_S = 2.5
"""How long a service may take for each of the two requests of its status."""
_SAMPLE = re.compile(r"^(hookstream_\w+?)(?:\{([^}]*)\})? ([-+.\deEinfa]+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """The status that a service reports.

    `reachable` is False if its listener does not answer; everything else is then 0 or empty. `problems` make the
    service not ready, `warnings` do not. `lag` is the number of unprocessed records, `age_s` the age of the oldest.
    `retrying`, `dead` and `waiting` are numbers of events. `outbox_age_s` is the age of the oldest message that Kafka
    has not acknowledged. `mails` are numbers by status, `oldest_mail_s` is the age of the oldest mail that is queued or
    being sent, and `mail_silent_s` for how long the mail server has answered no mail while mails are due. `spooled` is
    the number of webhooks in the spool; `spool_refused` is True if its disk refuses writes.
    """

    name: str
    reachable: bool
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    lag: int = 0
    age_s: float = 0.0
    retrying: int = 0
    dead: int = 0
    waiting: int = 0
    outbox_age_s: float = 0.0
    mails: Mapping[str, int] = field(default_factory=dict)
    oldest_mail_s: float = 0.0
    mail_silent_s: float = 0.0
    spooled: int = 0
    spool_refused: bool = False

    @property
    def is_ready(self) -> bool:
        return self.reachable and not self.problems


class Services:
    """The services whose management listeners `client` can call. It may be used from several threads.

    `probes` check by name the parts that the console itself depends on; `records` are those of Kafka.
    """

    def __init__(self, client: ManagementClient, probes: Mapping[str, Check], records: Records) -> None:
        self._client = client
        self.records = records
        self._probes = probes
        self._own_problems: dict[str, str] = {}
        self._probe = ManagementClient(client.urls, client.token, TIMEOUT_S)
        self._lock = Lock()
        self._statuses: tuple[ServiceStatus, ...] = ()
        self._read_at = float("-inf")

    @property
    def names(self) -> tuple[str, ...]:
        """The services whose address is configured."""
        return tuple(self._client.urls)

    def get(self, service: str, path: str, **query: object) -> JsonValue:
        """Return the JSON at `path` of a service. Raises ServiceRefused or ServiceUnreachable."""
        return self._client.get(service, path, **query)

    def post(self, service: str, path: str, body: Mapping[str, object]) -> JsonValue:
        """Post JSON to `path` of a service; return its JSON. Raises ServiceRefused or ServiceUnreachable."""
        return self._client.post(service, path, body)

    def statuses(self) -> tuple[ServiceStatus, ...]:
        """Return the status of each service of `names`, at most FRESH_S old.

        The services are called in parallel, with two requests of at most TIMEOUT_S each. No error is raised: a service
        that does not answer is not `reachable`.
        """
        with self._lock:
            self._read_if_due()
            return self._statuses

    def own_problems(self) -> Mapping[str, str]:
        """Return by name the problems that `probes` found, at most FRESH_S ago; parts that work are left out."""
        with self._lock:
            self._read_if_due()
            return self._own_problems

    def _read_if_due(self) -> None:
        if time.monotonic() - self._read_at <= FRESH_S:
            return
        with ThreadPoolExecutor(len(self.names) + len(self._probes) + 1) as pool:
            problems = {name: pool.submit(probe) for name, probe in self._probes.items()}
            self._statuses = tuple(pool.map(self._status, self.names))
            self._own_problems = {name: problem for name, found in problems.items() if (problem := found.result())}
        self._read_at = time.monotonic()

    def _status(self, name: str) -> ServiceStatus:
        try:
            health = self._probe.read(name, "/health/ready").json()
            metrics = self._probe.read(name, "/metrics")
        except (ServiceUnreachable, ValueError):
            return ServiceStatus(name, reachable=False)
        return status(name, health, metrics)


def status(name: str, health: Mapping[str, JsonValue], metrics: Response) -> ServiceStatus:
    """Return a service's status from its JSON at `/health/ready` and its metrics; numbers are 0 without metrics."""
    samples = parse(metrics.body.decode(errors="replace")) if metrics.status == 200 else []  # noqa: PLR2004
    return ServiceStatus(
        name,
        reachable=True,
        problems=tuple(health.get("problems", ())),
        warnings=tuple(health.get("warnings", ())),
        lag=int(sum(_values(samples, "hookstream_lag_records"))),
        age_s=max(_values(samples, "hookstream_event_age_seconds"), default=0.0),
        retrying=int(sum(_values(samples, "hookstream_retrying_events"))),
        dead=int(sum(_values(samples, "hookstream_dead_events"))),
        waiting=int(sum(_values(samples, "hookstream_waiting_events"))),
        outbox_age_s=max(_values(samples, "hookstream_outbox_age_seconds"), default=0.0),
        mails={labels["status"]: int(value) for metric, labels, value in samples if metric == "hookstream_mails"},
        oldest_mail_s=max(_values(samples, "hookstream_oldest_mail_seconds"), default=0.0),
        mail_silent_s=max(_values(samples, "hookstream_mail_server_silent_seconds"), default=0.0),
        spooled=int(sum(_values(samples, "hookstream_spooled_webhooks"))),
        spool_refused=any(_values(samples, "hookstream_spool_refused")),
    )


Sample = tuple[str, Mapping[str, str], float]
"""The name of a metric, the labels and the value."""


def parse(text: str) -> list[Sample]:
    """Return the samples of hookstream's metrics in a Prometheus exposition; other lines are ignored."""
    return [(name, dict(_LABEL.findall(labels)), float(value)) for name, labels, value in _SAMPLE.findall(text)]


def _values(samples: Iterable[Sample], name: str) -> list[float]:
    return [value for metric, _, value in samples if metric == name]
