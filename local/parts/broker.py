"""A real Apache Kafka, one KRaft node on this machine, from the Maven artifacts."""

import base64
import secrets
from pathlib import Path
from string import Template

from confluent_kafka import KafkaException

from local.environment import HOST, Settings
from local.messages import Trouble
from local.parts import maven
from local.paths import private
from local.processes.process import Program
from local.processes.supervisor import Supervisor
from stream.kafka.client_config import Cluster

CONFIGURATION = Path(__file__).parent / "kafka"
WHAT = "Kafka 4.1.1 (once, 43 MB)"
JVM = (
    "-Xms256m",
    "-Xmx512m",
    "-XX:MaxDirectMemorySize=128m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # a node this small is up sooner without the optimising compiler
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    f"-Dlog4j2.configurationFile={(CONFIGURATION / 'log4j2.properties').as_uri()}",
)


def start(supervisor: Supervisor, settings: Settings) -> None:
    """Or, given a broker, makes sure that it is there."""
    if settings.own_broker:
        supervisor.wait(supervisor.start(_program(supervisor, settings)))
    elif not answers(Cluster.of_environment(settings.given, "local"), patience=10):
        servers = settings.given["KAFKA_BOOTSTRAP_SERVERS"]
        raise Trouble(f"No Kafka answers at {servers}: start it, or unset KAFKA_BOOTSTRAP_SERVERS to have one here.")


def answers(cluster: Cluster, patience: float = 1.0) -> bool:
    try:
        return bool(cluster.metadata(patience).brokers)
    except KafkaException:
        return False


def _program(supervisor: Supervisor, settings: Settings) -> Program:
    home = settings.place.run / "kafka"
    java = maven.java()
    libraries = maven.fetch(supervisor, settings.place, "kafka", WHAT)
    command = (java, *JVM, "-cp", f"{libraries}/*")
    properties = _configure(home, settings)
    if not (home / "log" / "meta.properties").exists():  # the last thing a format writes
        _format(supervisor, command, properties)
    cluster = Cluster(f"{HOST}:{settings.port['kafka']}", "local")
    return Program("kafka", (*command, "kafka.Kafka", str(properties)), ready=lambda: answers(cluster))


def _configure(home: Path, settings: Settings) -> Path:
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
    # One argument, since an id may begin with a dash.
    tool = ("kafka.tools.StorageTool", "format", "--ignore-formatted", f"--cluster-id={cluster}", "-c", str(properties))
    supervisor.errand(Program("kafka-format", (*command, *tool), ready=bool))
