"""The state of each provider, from `provider-states.v1`: paused or not, and when each secret was first used."""

from collections.abc import Iterable
from threading import Event

from confluent_kafka import Message

from runtime.logging import log
from stream.avro.codec import Codec
from stream.events import ProviderState, SecretSeen, topics
from stream.kafka import topic_follower
from stream.kafka.cluster import Cluster

QUARANTINING = ("paused", "draining")
"""The states in which a provider's webhooks are quarantined."""
RESUMING = ("draining", "finishing")
"""The states in which a provider's quarantined webhooks are released."""
UNREAD = "it is not known yet which providers are paused, so none counts as paused: provider-states.v1 is not read"
START_S = 10.0
"""Seconds that a starting gateway waits for the states, if Kafka answers."""


class ProviderStates:
    """The latest state of each provider. Its methods may be called from any thread.

    Until `follow` has read the topic, every provider counts as never paused and every secret as new.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._states: dict[str, ProviderState] = {}
        self._first_seen: dict[tuple[str, str], int] = {}
        self._paused: frozenset[str] = frozenset()
        self._caught_up: Event | None = None

    def follow(self, cluster: Cluster, stop: Event) -> bool:
        """Follow the topic in a thread until `stop` is set; return whether its present content was read in START_S.

        The thread reads it later if Kafka does not answer by then, or lacks the topic.
        """
        self._caught_up = topic_follower.follow(cluster, topics.PROVIDER_STATES, self._on_record, stop)
        return self._caught_up.wait(START_S)

    def are_read(self) -> bool:
        """Return whether the records that the topic had at the start have been read."""
        return self._caught_up is not None and self._caught_up.is_set()

    def is_paused(self, provider: str) -> bool:
        """Return whether an operator's decision quarantines the webhooks of this provider now."""
        return provider in self._paused

    def state(self, provider: str) -> ProviderState | None:
        """Return the latest state of a provider; None if it was never paused."""
        return self._states.get(provider)

    def resuming(self) -> list[ProviderState]:
        """Return the states of the providers whose quarantined webhooks are being released."""
        return [state for state in list(self._states.values()) if state.state in RESUMING]

    def first_seen(self, setting: str, fingerprint: str) -> int | None:
        """Return when a gateway started with this secret first (microseconds since 1970 UTC); None if it is new."""
        return self._first_seen.get((setting, fingerprint))

    def warning(self) -> str | None:
        """Return which providers are paused, or that this is not known yet, for the operator; None if none is."""
        paused = [_described(self._states[name]) for name in sorted(self._paused)]
        return "; ".join([*paused, *([] if self._caught_up is None or self.are_read() else [UNREAD])]) or None

    def apply(self, record: ProviderState | SecretSeen) -> None:
        """Apply a record of the topic. Records may come in any order: only a later state replaces a state."""
        if isinstance(record, SecretSeen):
            key = (record.secret_setting, record.fingerprint)
            self._first_seen[key] = min(self._first_seen.get(key, record.at), record.at)
            return
        current = self._states.get(record.provider)
        if current is not None and current.at >= record.at:
            return  # this process has set a later one, and reads its own earlier records only now
        self._states[record.provider] = record
        self._paused = frozenset(_quarantining(self._states.values()))
        log.info("provider.state", provider=record.provider, status=record.state)

    def _on_record(self, message: Message) -> None:
        record = self._codec.decode(message.value())
        if isinstance(record, ProviderState | SecretSeen):
            self.apply(record)


def _quarantining(states: Iterable[ProviderState]) -> Iterable[str]:
    return (state.provider for state in states if state.state in QUARANTINING)


def _described(state: ProviderState) -> str:
    return f"{state.provider} is {state.state} by {state.by}: {state.reason}"
