"""Pauses providers and resumes them: what was quarantined meanwhile is released in the order of its receipt.

While the backlog is released (`draining`), new webhooks are still quarantined, so that they do not overtake it. The
last few, quarantined until every gateway has read of the change, are released in the state `finishing`.
"""

import time
from collections.abc import Sequence
from threading import Lock, Thread

import msgspec

from gateway.append.appender import Unavailable
from gateway.append.spool import ProducerRecord
from gateway.intake.provider_states import RESUMING, ProviderStates
from gateway.intake.quarantine import PAUSED
from gateway.intake.release import Release
from runtime import clock
from runtime.logging import log
from stream.avro.codec import Codec, Undecodable
from stream.avro.registry import UnknownSchema
from stream.events import Micros, Outcome, ProviderPhase, ProviderState, QuarantinedWebhook, topics
from stream.kafka import topic_reader
from stream.kafka.cluster import Cluster
from stream.kafka.position import Position

NEARLY_NONE = 20
"""The backlog with which `draining` ends: it is released faster than every gateway reads of the change."""
FOLLOWED_S = 1.0
"""Seconds within which every gateway has read a new state."""
RETRY_S = 5.0
CLOCKS_DIFFER_MS = 60_000
"""Milliseconds by which the clocks of gateways and brokers may differ."""
AT_ONCE = 50
"""Records that are read and released before the state is looked up again."""


class Resumption:
    """Pauses and resumes providers, as an operator decides. The methods are for any thread but the event loop's."""

    def __init__(self, cluster: Cluster, codec: Codec, states: ProviderStates, release: Release) -> None:
        self._cluster = cluster
        self._codec = codec
        self._states = states
        self._release = release
        self._lock = Lock()
        self._running: set[str] = set()

    def pause(self, provider: str, reason: str, by: str) -> ProviderState:
        """Quarantine the provider's webhooks from now on; return the new state, or the present one if it is paused.

        Other gateways follow within about FOLLOWED_S. `by` names the operator. Raises Unavailable if Kafka does not
        acknowledge.
        """
        current = self._states.state(provider)
        if current is not None and current.state == "paused":
            return current
        now = clock.now()
        # What an unfinished resumption has not released yet is older than this pause.
        since = current.since if current is not None and current.state != "active" else now
        at = now if current is None else max(now, current.at + 1)
        return self._set(
            ProviderState(provider=provider, state="paused", reason=reason, by=by, since=Micros(since), at=Micros(at))
        )

    def resume(self, provider: str, by: str) -> ProviderState | None:
        """Begin to release the webhooks that the pause quarantined, in a thread that then lets new webhooks through.

        Return the state now: `draining` or `finishing`, `active` if nothing was to do, None if it was never paused.
        Raises Unavailable if Kafka does not acknowledge.
        """
        current = self._states.state(provider)
        if current is not None and current.state == "paused":
            current = self._set(_changed(current, "draining", by))
        if current is not None and current.state != "active":
            self.start(current)
        return current

    def start(self, state: ProviderState) -> None:
        """Release the backlog of a provider in a thread, unless this process is doing so already."""
        with self._lock:
            if state.provider in self._running:
                return
            self._running.add(state.provider)
        Thread(target=self._run, args=(state.provider,), name=f"resume {state.provider}", daemon=True).start()

    def pending(self, state: ProviderState) -> list[Position]:
        """Return the positions of the webhooks that a pause quarantined and that are not released, in order of receipt.

        `state` is the provider's latest state. Webhooks quarantined for other causes are left out. Raises
        KafkaUnavailable, and RegistryError when a remote schema registry fails.
        """
        found: dict[Position, int] = {}
        earliest = state.since // 1000 - CLOCKS_DIFFER_MS
        for message in topic_reader.read_all(self._cluster, (topics.QUARANTINE,), earliest):
            position = Position(message.topic() or "", message.partition() or 0, message.offset() or 0)
            match self._decoded(message.value()):
                case QuarantinedWebhook(cause=cause, provider=name, received_at=at) if (
                    cause == PAUSED and name == state.provider
                ):
                    found[position] = at
                case Outcome(topic=topic, partition=partition, offset=offset):
                    found.pop(Position(topic, partition, offset), None)
                case _:
                    continue
        return sorted(found, key=lambda position: (found[position], position))

    def _run(self, provider: str) -> None:
        try:
            while not self._finish(provider):
                time.sleep(RETRY_S)
        finally:
            with self._lock:
                self._running.discard(provider)

    def _finish(self, provider: str) -> bool:
        """Release the backlog and make the provider active; return False if Kafka failed and the rest is still to do.

        Also return True if the provider is paused again, or already active.
        """
        refused: set[Position] = set()
        try:
            while (state := self._states.state(provider)) is not None and state.state in RESUMING:
                pending = [position for position in self.pending(state) if position not in refused]
                refused |= self._release_all(provider, pending)
                if state.state == "draining" and len(pending) <= NEARLY_NONE:
                    self._set(_changed(state, "finishing", state.by))
                    time.sleep(FOLLOWED_S)
                elif state.state == "finishing" and not pending:
                    self._set(_changed(state, "active", state.by))
        except (Unavailable, topic_reader.KafkaUnavailable) as failure:
            log.warning("provider.resume_failed", provider=provider, error=str(failure), seconds=RETRY_S)
            return False
        return True

    def _release_all(self, provider: str, pending: Sequence[Position]) -> set[Position]:
        """Release records until the provider is paused again; return those that stay in the quarantine."""
        refused = set()
        for first in range(0, len(pending), AT_ONCE):
            state = self._states.state(provider)
            if state is None or state.state == "paused":
                break
            for position, value in topic_reader.read_at(self._cluster, pending[first : first + AT_ONCE]):
                if not self._release.release(position, value, is_dry_run=False)["released"]:
                    refused.add(position)
        return refused

    def _set(self, state: ProviderState) -> ProviderState:
        """Publish a state, and apply it here at once: this process reads it again from the topic."""
        topic = topics.PROVIDER_STATES
        self._release.append(ProducerRecord(topic.name, topic.key(state), self._codec.encode(state)))
        self._states.apply(state)
        return state

    def _decoded(self, value: bytes | None) -> object:
        try:
            return self._codec.decode(value)
        except (Undecodable, UnknownSchema):
            return None


def _changed(state: ProviderState, phase: ProviderPhase, by: str) -> ProviderState:
    """Return the next state, which is later than `state` even if the clock of another gateway is ahead."""
    return msgspec.structs.replace(state, state=phase, by=by, at=max(clock.now(), state.at + 1))
