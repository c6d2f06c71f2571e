"""The gateway's management API: providers, their pause and resumption, the quarantine's release, the spool's state."""

from collections.abc import Callable, Mapping

from gateway.append.appender import Unavailable
from gateway.append.durable_append import DurableAppend
from gateway.http import openapi
from gateway.intake.authentication import Authentication
from gateway.intake.provider_states import ProviderStates
from gateway.intake.release import Release
from gateway.intake.resumption import Resumption
from gateway.management import parameters
from providers import catalogue
from providers.contract import Provider
from runtime.management.parameters import required_text
from runtime.management.routes import RequestRefused, Routes
from stream.events import ProviderState
from stream.kafka import topic_reader
from stream.kafka.cluster import Cluster
from stream.kafka.position import Position

Result = dict[str, object]
LONGEST = 500
"""Maximum characters of a reason, and of an operator's name."""


class ManagementApi:
    """The gateway's routes. They run on the management listener's threads; all may raise RequestRefused."""

    def __init__(
        self,
        cluster: Cluster,
        durable_append: DurableAppend,
        authentication: Authentication,
        states: ProviderStates,
        release: Release,
        resumption: Resumption,
    ) -> None:
        self._cluster = cluster
        self._durable_append = durable_append
        self._authentication = authentication
        self._states = states
        self._release = release
        self._resumption = resumption

    def routes(self) -> Routes:
        """Return the handlers by method and path."""
        return openapi.all_described(
            {
                ("GET", "/spool"): self.spool,
                ("GET", "/providers"): self.providers,
                ("POST", "/providers/pause"): self.pause,
                ("POST", "/providers/resume"): self.resume,
                ("POST", "/quarantine/release"): self.release,
            }
        )

    def spool(self, _: Mapping[str, object]) -> object:
        """Return how much the spool holds, and why its disk refuses writes; `configured` is false without a spool."""
        state = self._durable_append.state()
        if state is None:
            return {"configured": False, "records": 0, "bytes": 0, "maxBytes": 0, "refused": None}
        return {
            "configured": True,
            "records": state.records,
            "bytes": state.bytes,
            "maxBytes": state.max_bytes,
            "refused": state.write_error,
        }

    def providers(self, request: Mapping[str, object]) -> object:
        """Return each provider: how its webhooks are verified, its secrets by fingerprint, and whether it is paused.

        With `pending=true`, `pending` is the number of webhooks that a pause quarantined and that are not released;
        null for an active provider, and without that parameter. `firstSeen`, `since` and `at` are microseconds since
        1970 UTC.
        """
        counts = request.get("pending") in ("true", True)
        return {"providers": [self._provider(name, counts=counts) for name in sorted(catalogue.BY_NAME)]}

    def pause(self, request: Mapping[str, object]) -> object:
        """Quarantine the webhooks of a provider from now on. `request` is {"provider", "reason", "by"}.

        Return the state; pausing a paused provider changes nothing.
        """
        provider = parameters.provider(request)
        reason, by = required_text(request, "reason", LONGEST), required_text(request, "by", LONGEST)
        return self._decided(lambda: self._resumption.pause(provider, reason, by))

    def resume(self, request: Mapping[str, object]) -> object:
        """Release what the pause quarantined, in order, and then let webhooks through. `request` is {"provider", "by"}.

        Return the state at once, null for a provider that was never paused; `providers` shows the progress. Resuming an
        active provider changes nothing.
        """
        provider, by = parameters.provider(request), required_text(request, "by", LONGEST)
        return self._decided(lambda: self._resumption.resume(provider, by))

    def release(self, request: Mapping[str, object]) -> object:
        """Verify and translate quarantined webhooks again, and append those that are accepted now.

        `request` is {"records": [{"topic", "partition", "offset"}, …], "dryRun": bool}. Return one result a record. A
        record released twice appends the same event id twice; consumers see a duplicate. If Kafka becomes unavailable,
        the records before may have been released.
        """
        positions, is_dry_run = parameters.positions(request), request.get("dryRun") is True
        try:
            return {
                "results": [
                    self._release.release(position, value, is_dry_run=is_dry_run)
                    for position, value in self._values(positions)
                ]
            }
        except Unavailable as unavailable:
            raise _unavailable() from unavailable

    def _decided(self, decide: Callable[[], ProviderState | None]) -> object:
        try:
            return {"state": _state(decide())}
        except Unavailable as unavailable:
            raise _unavailable() from unavailable

    def _values(self, positions: list[Position]) -> list[tuple[Position, bytes | None]]:
        try:
            return list(topic_reader.read_at(self._cluster, positions))
        except topic_reader.KafkaUnavailable as away:
            raise RequestRefused(503, "unavailable", f"{away}; nothing is lost, try again") from away

    def _provider(self, name: str, *, counts: bool) -> Result:
        rows = [row for row in catalogue.ROWS if row.name == name]
        state = self._states.state(name)
        return {
            "provider": name,
            "contracts": [self._contract(row) for row in rows],
            "state": _state(state),
            "pending": self._pending(state) if counts and state is not None and state.state != "active" else None,
        }

    def _contract(self, row: Provider) -> Result:
        valid, retired = self._authentication.fingerprints(row)
        return {
            "paths": list(row.paths),
            "authentication": row.authentication,
            "active": self._authentication.is_active(row),
            "unsigned": row.is_unsigned,
            "secretSetting": row.secret_setting,
            "secrets": [self._secret(row.secret_setting, fingerprint) for fingerprint in valid],
            "retired": [self._secret(row.secret_setting, fingerprint) for fingerprint in retired],
        }

    def _secret(self, setting: str, fingerprint: str) -> Result:
        return {"fingerprint": fingerprint, "firstSeen": self._states.first_seen(setting, fingerprint)}

    def _pending(self, state: ProviderState) -> int:
        try:
            return len(self._resumption.pending(state))
        except topic_reader.KafkaUnavailable as away:
            raise RequestRefused(503, "unavailable", f"{away}; try again") from away


def _state(state: ProviderState | None) -> Result | None:
    """Return a state as JSON; None for a provider that was never paused. Times are microseconds since 1970 UTC."""
    if state is None:
        return None
    return {"state": state.state, "reason": state.reason, "by": state.by, "since": state.since, "at": state.at}


def _unavailable() -> RequestRefused:
    return RequestRefused(503, "unavailable", "Kafka does not acknowledge; nothing is lost, try again")
