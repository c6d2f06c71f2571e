"""Kafka and Postgres from testcontainers, set up like the local ones."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import docker
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from local.environment import AUDITOR, STORES
from local.parts import databases
from tests.ports import free_port

KAFKA = "apache/kafka:4.1.1"
POSTGRES = "postgres:17-bookworm"
ENGINE_TIMEOUT_S = 3


def why_unavailable() -> str | None:
    """Return why containers cannot be used on this machine; None when they can. Images are pulled if missing."""
    try:
        engine = docker.from_env(timeout=ENGINE_TIMEOUT_S)
        engine.ping()
    except docker.errors.DockerException:
        return "no Docker engine answers"
    try:
        for image in (KAFKA, POSTGRES):
            _have(engine, image)
    except docker.errors.DockerException as failure:
        return f"the engine has no image {image} and cannot pull it ({type(failure).__name__})"
    finally:
        engine.close()
    return None


@contextmanager
def kafka_and_postgres() -> Iterator[dict[str, str]]:
    """Run a broker and Postgres in containers during the block; yield the variables by which services find them."""
    port = free_port()
    with ExitStack() as started:
        started.enter_context(_kafka(port))
        postgres = started.enter_context(PostgresContainer(POSTGRES, driver=None))
        passwords = {name: secrets.token_hex(8) for name in (AUDITOR, *(service.name for service in STORES))}
        databases.create_databases(postgres.get_connection_url(), [service.name for service in STORES], passwords)
        address = f"{postgres.get_container_host_ip()}:{postgres.get_exposed_port(5432)}"
        yield {
            "KAFKA_BOOTSTRAP_SERVERS": f"localhost:{port}",
            **{
                service.variable(
                    "DATABASE_URL"
                ): f"postgresql://{service.name}:{passwords[service.name]}@{address}/{service.name}"
                for service in STORES
            },
        }


def _kafka(port: int) -> DockerContainer:
    return (
        DockerContainer(KAFKA)
        .with_bind_ports(19092, port)
        .with_envs(
            KAFKA_NODE_ID="1",
            KAFKA_PROCESS_ROLES="broker,controller",
            KAFKA_LISTENERS="HOST://:19092,BROKER://localhost:9092,CONTROLLER://localhost:9093",
            KAFKA_ADVERTISED_LISTENERS=f"HOST://localhost:{port},BROKER://localhost:9092",
            KAFKA_LISTENER_SECURITY_PROTOCOL_MAP="HOST:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
            KAFKA_INTER_BROKER_LISTENER_NAME="BROKER",
            KAFKA_CONTROLLER_LISTENER_NAMES="CONTROLLER",
            KAFKA_CONTROLLER_QUORUM_VOTERS="1@localhost:9093",
            KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR="1",
            KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR="1",
            KAFKA_TRANSACTION_STATE_LOG_MIN_ISR="1",
            KAFKA_GROUP_CONSUMER_SESSION_TIMEOUT_MS="6000",
            KAFKA_GROUP_CONSUMER_MIN_SESSION_TIMEOUT_MS="1000",
            KAFKA_GROUP_CONSUMER_HEARTBEAT_INTERVAL_MS="300",
            KAFKA_GROUP_CONSUMER_MIN_HEARTBEAT_INTERVAL_MS="300",
            KAFKA_HEAP_OPTS="-Xms256m -Xmx512m",
        )
        .waiting_for(LogMessageWaitStrategy("Kafka Server started"))
    )


def _have(engine: docker.DockerClient, image: str) -> None:
    try:
        engine.images.get(image)
    except docker.errors.ImageNotFound:
        engine.images.pull(image)
