"""A Kafka cluster: its connection settings, and the only constructor of its clients; no other module makes one.

A `KAFKA_…` variable overrides the properties that hookstream sets (see runtime/config/kafka_properties), except those
that its guarantees rely on.
"""

import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, ClusterMetadata  # type: ignore[attr-defined] # exported, but not in the stubs

from runtime.config import kafka_properties
from runtime.config.settings import EXIT_MISCONFIGURED, Settings
from stream.kafka.producer import CLIENT

Client = TypeVar("Client")
CLASSIC = "classic"
CONSUMER_PROTOCOL_ONLY = ("group.remote.assignor",)
CLASSIC_DEFAULTS: Mapping[str, object] = {
    "partition.assignment.strategy": "cooperative-sticky",  # members keep their other partitions while some move
    "session.timeout.ms": 10_000,
    "heartbeat.interval.ms": 2_000,
}
"""Defaults of consumers in the classic group protocol, in which the member and not the broker sets the timeouts."""

CONNECTION_ERRORS = (
    KafkaError._AUTHENTICATION,  # noqa: SLF001 - a public name, like those below
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError._SSL,  # noqa: SLF001
    KafkaError._RESOLVE,  # noqa: SLF001
    KafkaError._TRANSPORT,  # noqa: SLF001
)
"""Connection errors that explain why Kafka does not answer. Those that waiting does not fix come first."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The connection settings of a Kafka cluster for `service`, whose name appears in client ids.

    `group_prefix` precedes the names of consumer groups. `properties` are those of the `KAFKA_…` variables. All methods
    that make a client raise SystemExit, with a sentence on stderr, when the properties contradict each other.
    """

    bootstrap_servers: str
    service: str
    group_prefix: str = ""
    properties: Mapping[str, str] = field(default_factory=dict, repr=False)  # contains passwords

    @classmethod
    def of(cls, settings: Settings, service: str) -> Self:
        """Return the cluster from a service's settings."""
        return cls(settings.kafka_bootstrap_servers, service, settings.group_prefix, settings.kafka_properties)

    @classmethod
    def of_environment(cls, environment: Mapping[str, str], service: str) -> Self:
        """Return the cluster from environment variables, for programs without a Settings class.

        Raises KeyError without KAFKA_BOOTSTRAP_SERVERS, ValueError, whose message lists the wrong variables, and
        OSError when a `…_FILE` cannot be read.
        """
        prefix = environment.get("GROUP_PREFIX", "")
        return cls(environment["KAFKA_BOOTSTRAP_SERVERS"], service, prefix, kafka_properties.read(environment))

    def group(self, name: str) -> str:
        """Return the name of a consumer group with `group_prefix`."""
        return f"{self.group_prefix}{name}"

    def admin(self, on_error: Callable[[KafkaError], None] = lambda _: None) -> AdminClient:
        """Return an admin client that logs nothing: its failures are raised. `on_error` gets its connection errors."""
        return self._make(AdminClient, {"error_cb": on_error})

    def metadata(self, timeout_s: float) -> ClusterMetadata:
        """Return the metadata of brokers and topics.

        Raises KafkaException when there is no answer in `timeout_s`: with the reason why connections failed if it is
        known (for example, a refused password).
        """
        reported: list[KafkaError] = []
        admin = self.admin(reported.append)
        try:
            return admin.list_topics(timeout=timeout_s)
        except KafkaException as failure:
            admin.poll(0)
            reasons = sorted((error for error in reported if error.code() in CONNECTION_ERRORS), key=_severity)
            raise (KafkaException(reasons[0]) if reasons else failure) from None

    def producer(self, defaults: Mapping[str, object]) -> Producer:
        """Return a producer with these properties, which `KAFKA_…` variables override."""
        return self._make(Producer, defaults)

    def consumer(self, group: str, defaults: Mapping[str, object]) -> Consumer:
        """Return a consumer in `group`, to whose name the prefix is added, with these properties.

        `KAFKA_…` variables override the properties. librdkafka requires a group even for a consumer that only assigns.
        """
        effective = {**defaults, **self.properties}
        if effective.get("group.protocol") == CLASSIC:
            defaults = {**CLASSIC_DEFAULTS, **defaults}
            defaults = {name: value for name, value in defaults.items() if name not in CONSUMER_PROTOCOL_ONLY}
        return self._make(Consumer, {**defaults, "group.id": self.group(group)})

    def _make(self, kind: Callable[..., Client], defaults: Mapping[str, object]) -> Client:
        """Construct a client of class `kind`; `properties` override `defaults`."""
        client_id = {"client.id": f"hookstream-{self.service}-{socket.gethostname()}"}
        servers = {"bootstrap.servers": self.bootstrap_servers}
        try:
            return kind({**CLIENT, **client_id, **defaults, **self.properties, **servers})
        except KafkaException as refused:
            sys.stderr.write(f"cannot start: the KAFKA_… settings do not fit together: {refused.args[0].str()}\n")
            raise SystemExit(EXIT_MISCONFIGURED) from None


def _severity(error: KafkaError) -> int:
    return CONNECTION_ERRORS.index(error.code())
