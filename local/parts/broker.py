"""Starts Apache Kafka as one KRaft node on this machine, from the Maven artifacts."""

import base64
import secrets
from pathlib import Path
from string import Template

from confluent_kafka import KafkaException

from local.environment import HOST, StackSettings
from local.messages import CommandError
from local.parts import maven
from local.paths import private
from local.processes.process import Program
from local.processes.supervisor import Supervisor
from stream.kafka.cluster import Cluster

CONFIGURATION = Path(__file__).parent / "kafka"
LABEL = "Kafka 4.1.1 (once, 43 MB)"
JVM = (
    "-Xms256m",
    "-Xmx512m",
    "-XX:MaxDirectMemorySize=128m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # a small node starts faster without the optimising compiler
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    f"-Dlog4j2.configurationFile={(CONFIGURATION / 'log4j2.properties').as_uri()}",
)


def start(supervisor: Supervisor, settings: StackSettings) -> None:
    """Start a broker and wait until it is ready, or check the given one.

    Raises CommandError when the broker does not start, or the given one does not answer within 10 s.
    """
    if settings.own_broker:
        supervisor.wait(supervisor.start(_program(supervisor, settings)))
    elif not answers(Cluster.of_environment(settings.given, "local"), timeout_s=10):
        servers = settings.given["KAFKA_BOOTSTRAP_SERVERS"]
        raise CommandError(
            f"No Kafka answers at {servers}: start it, or unset KAFKA_BOOTSTRAP_SERVERS to start one here."
        )


def answers(cluster: Cluster, timeout_s: float = 1.0) -> bool:
    """Return whether a broker of the cluster sends metadata within `timeout_s`."""
    try:
        return bool(cluster.metadata(timeout_s).brokers)
    except KafkaException:
        return False


def _program(supervisor: Supervisor, settings: StackSettings) -> Program:
    home = settings.paths.run / "kafka"
    java = maven.java()
    libraries = maven.fetch(supervisor, settings.paths, "kafka", LABEL)
    command = (java, *JVM, "-cp", f"{libraries}/*")
    properties = _configure(home, settings)
    if not (home / "log" / "meta.properties").exists():  # the last file that formatting writes
        _format(supervisor, command, properties)
    cluster = Cluster(f"{HOST}:{settings.port['kafka']}", "local")
    return Program("kafka", (*command, "kafka.Kafka", str(properties)), ready=lambda: answers(cluster))


def _configure(home: Path, settings: StackSettings) -> Path:
    private(home)
    template = Template((CONFIGURATION / "server.properties").read_text())
    properties = home / "server.properties"
    port = settings.port
    properties.write_text(
        template.substitute(port=port["kafka"], controller_port=port["kafka_controller"], log=home / "log")
    )
    return properties


def _format(supervisor: Supervisor, command: tuple[str, ...], properties: Path) -> None:
    cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    # One argument, because an id may begin with a dash.
    tool = ("kafka.tools.StorageTool", "format", "--ignore-formatted", f"--cluster-id={cluster}", "-c", str(properties))
    supervisor.run_to_end(Program("kafka-format", (*command, *tool), ready=bool))
