"""Makes every client of Kafka's; nothing else constructs one.

What hookstream sets can be overridden by a `KAFKA_…` variable (see runtime/kafka_properties), except the properties its
guarantees rest on.
"""

import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, ClusterMetadata  # type: ignore[attr-defined] # not said to be exported

from runtime.config import kafka_properties
from runtime.config.settings import EXIT_MISCONFIGURED, Settings
from stream.kafka.producer import CLIENT

Client = TypeVar("Client")
CLASSIC = "classic"
CONSUMER_PROTOCOL_ONLY = ("group.remote.assignor",)
CLASSIC_DEFAULTS: Mapping[str, Any] = {
    "partition.assignment.strategy": "cooperative-sticky",  # members keep what stays theirs while others move
    "session.timeout.ms": 10_000,
    "heartbeat.interval.ms": 2_000,
}
"""The broker decides the timeouts of the consumer protocol; those of the classic one are the member's."""

TELLING = (
    KafkaError._AUTHENTICATION,  # noqa: SLF001 - that is its name, as of those below
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError._SSL,  # noqa: SLF001
    KafkaError._RESOLVE,  # noqa: SLF001
    KafkaError._TRANSPORT,  # noqa: SLF001
)
"""Errors of connections that say why Kafka seems to be away, those first that waiting does not mend."""
QUIET: Mapping[str, Any] = {"error_cb": lambda _: None}
"""For clients whose failures are raised, and whose program has no log."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """One Kafka cluster as `service` connects to it."""

    bootstrap_servers: str
    service: str
    group_prefix: str = ""
    properties: Mapping[str, str] = field(default_factory=dict, repr=False)  # passwords are among them

    @classmethod
    def of(cls, settings: Settings, service: str) -> Self:
        """The cluster that a service's settings describe."""
        return cls(settings.kafka_bootstrap_servers, service, settings.group_prefix, settings.kafka_properties)

    @classmethod
    def of_environment(cls, environment: Mapping[str, str], service: str) -> Self:
        """The cluster that variables describe, for programs without settings of their own.

        Raises ValueError with sentences, OSError when a `…_FILE` cannot be read.
        """
        prefix = environment.get("GROUP_PREFIX", "")
        return cls(environment["KAFKA_BOOTSTRAP_SERVERS"], service, prefix, kafka_properties.read(environment))

    def group(self, name: str) -> str:
        """The name of a consumer group in this cluster."""
        return f"{self.group_prefix}{name}"

    def admin(self, on_error: Callable[[KafkaError], None] = lambda _: None) -> AdminClient:
        """An admin client that logs nothing: its failures are raised."""
        return self._make(AdminClient, {"error_cb": on_error})

    def metadata(self, timeout_s: float) -> ClusterMetadata:
        """The brokers and topics.

        Raises KafkaException, with why the connections failed where that is known: a refused password, say.
        """
        reported: list[KafkaError] = []
        admin = self.admin(reported.append)
        try:
            return admin.list_topics(timeout=timeout_s)
        except KafkaException as failure:
            admin.poll(0)
            telling = sorted((error for error in reported if error.code() in TELLING), key=_tells_least)
            raise (KafkaException(telling[0]) if telling else failure) from None

    def producer(self, ours: Mapping[str, Any]) -> Producer:
        """A producer with our properties where the environment sets no others."""
        return self._make(Producer, ours)

    def consumer(self, group: str, ours: Mapping[str, Any]) -> Consumer:
        """A consumer under this group's name; one that only assigns needs the name too, since librdkafka does."""
        wanted = {**ours, **self.properties}
        if wanted.get("group.protocol") == CLASSIC:
            ours = {**CLASSIC_DEFAULTS, **ours}
            ours = {name: value for name, value in ours.items() if name not in CONSUMER_PROTOCOL_ONLY}
        return self._make(Consumer, {**ours, "group.id": self.group(group)})

    def _make(self, kind: Callable[[dict[str, Any]], Client], ours: Mapping[str, Any]) -> Client:
        """Exits with a sentence when the properties contradict each other: no client can be made of them."""
        named = {"client.id": f"hookstream-{self.service}-{socket.gethostname()}"}
        try:
            return kind({**CLIENT, **named, **ours, **self.properties, "bootstrap.servers": self.bootstrap_servers})
        except KafkaException as refused:
            sys.stderr.write(f"cannot start: the KAFKA_… settings do not fit together: {refused.args[0].str()}\n")
            raise SystemExit(EXIT_MISCONFIGURED) from None


def _tells_least(error: KafkaError) -> int:
    return TELLING.index(error.code())
