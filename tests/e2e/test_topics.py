"""Topics that are missing or not as designed: the gateway's readiness, the log at start, `hookstream topics check`."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from runtime import clock
from runtime.config.secrets import fingerprint
from stream.events import Micros, ProviderState
from stream.events.topics import ALL, PARTITIONS
from tests.actors import new_order, until
from tests.failing import get, hookstream
from tests.gateways import another_gateway
from tests.kafka_settings import admin_of
from tests.log import CODEC, writer
from tests.ports import free_port
from tests.processes import suspended

SHOP = "generic"


@pytest.fixture
def prefixed(system: dict[str, str]) -> Iterator[dict[str, str]]:
    """The system's Kafka under another prefix, where no topic is yet."""
    prefix = f"{new_order().lower()}."
    yield system | {"TOPIC_PREFIX": prefix}
    admin = admin_of(system)
    names = [name for name in admin.list_topics(timeout=10).topics if name.startswith(prefix)]
    for deleted in (admin.delete_topics(names) if names else {}).values():
        deleted.result(30)


def test_a_gateway_whose_topics_are_missing_says_so_and_is_ready_once_they_are_there(
    prefixed: dict[str, str],
) -> None:
    with another_gateway(prefixed, TOPIC_PREFIX=prefixed["TOPIC_PREFIX"]) as gateway:
        unready = gateway.shop.request("GET", "/health/ready", None, {})
        assert unready.status == 503
        assert "topics are missing" in str(unready.body)
        assert "hookstream topics create" in str(unready.body)

        created = hookstream(prefixed, "topics", "create")
        assert created.returncode == 0, created.stderr
        until(lambda: gateway.shop.request("GET", "/health/ready", None, {}).status, lambda status: status == 200)
        paid = gateway.shop.post("payment", {"orderId": new_order(), "status": "completed", "amount": 58000})
        assert paid.status == 200

        delete(prefixed, "webhooks.refund.v1")
        until(lambda: gateway.shop.request("GET", "/health/ready", None, {}).status, lambda status: status == 503)


def test_a_gateway_that_starts_before_its_topics_catches_up_once_they_are_there(prefixed: dict[str, str]) -> None:
    """It is suspended while the topics are made, and finds in them a resumption that another gateway began."""
    port = str(free_port())
    listener = prefixed | {"GATEWAY_MANAGEMENT_URL": f"http://127.0.0.1:{port}"}
    names = {"TOPIC_PREFIX": prefixed["TOPIC_PREFIX"], "MANAGEMENT_TOKEN": prefixed["MANAGEMENT_TOKEN"]}

    with another_gateway(prefixed, MANAGEMENT_PORT=port, **names) as gateway:
        before = gateway.shop.request("GET", "/health/ready", None, {})
        with suspended(gateway.pid):
            hookstream(prefixed, "topics", "create")
            append_draining(prefixed)
        until(lambda: provider(listener), lambda row: (row["state"] or {}).get("state") == "active")
        (secret,) = until(lambda: secrets(listener), lambda used: all(one["firstSeen"] for one in used))
        paid = gateway.shop.post("payment", {"orderId": new_order(), "status": "completed", "amount": 58000})
        after = gateway.shop.request("GET", "/health/ready", None, {})

    assert "provider-states.v1 is not read" in str(before.body)
    assert (secret["fingerprint"], paid.status) == (fingerprint(prefixed["WEBHOOK_SECRET"].encode()), 200)
    assert (after.status, after.body) == (200, {"problems": []})


def test_topics_check_names_every_drift_and_what_to_do(prefixed: dict[str, str]) -> None:
    assert "Run `hookstream topics create`" in hookstream(prefixed, "topics", "check").stderr
    hookstream(prefixed, "topics", "create")
    fine = until(lambda: hookstream(prefixed, "topics", "check"), lambda said: "missing" not in said.stderr)
    assert (fine.returncode, fine.stdout, fine.stderr) == (0, f"{len(ALL)} topics are as designed\n", "")

    alter(prefixed, "payments.v1", "retention.ms", "1000")
    alter(prefixed, "refunds.v1", "cleanup.policy", "compact")
    alter(prefixed, "orders.v1", "message.timestamp.type", "CreateTime")
    alter(prefixed, "invoices.v1", "min.insync.replicas", "2")
    alter(prefixed, "shipments.v1", "retention.bytes", "1000000")
    delete(prefixed, "customers.v1")
    with_partitions(prefixed, "customers.v1", 3)
    checked = hookstream(prefixed, "topics", "check", "--replication", "3")

    assert checked.returncode == 1
    prefix = prefixed["TOPIC_PREFIX"]
    for line in (
        f"retention.ms is 1000, not -1: {prefix}payments.v1",
        f"cleanup.policy is compact, not delete: {prefix}refunds.v1",
        f"message.timestamp.type is CreateTime, not LogAppendTime: {prefix}customers.v1, {prefix}orders.v1",
        f"min.insync.replicas is 2, not 1: {prefix}invoices.v1",
        f"retention.bytes is 1000000, not -1: {prefix}shipments.v1",
        f"number of partitions is 3, not {PARTITIONS}: {prefix}customers.v1",
        "replication factor is 1, not 3: ",
        "kafka-configs.sh --alter --entity-type topics --entity-name NAME --add-config retention.ms=-1",
    ):
        assert line in checked.stderr


def test_a_live_gateway_on_single_copies_says_so_at_each_start_and_wrong_partitions_stop_it(
    prefixed: dict[str, str],
) -> None:
    hookstream(prefixed, "topics", "create")
    with another_gateway(prefixed, TOPIC_PREFIX=prefixed["TOPIC_PREFIX"], MODE="live") as gateway:
        said = until(gateway.log.read_text, lambda text: "gateway.listening" in text)
    assert "topic.not_replicated" in said
    assert "each record has ONE copy" in said

    delete(prefixed, "orders.v1")
    with_partitions(prefixed, "orders.v1", 3)
    refused = f"topic {prefixed['TOPIC_PREFIX']}orders.v1 has 3 partitions, not 12. Set TOPIC_PARTITIONS if all"
    assert refused in last_words(prefixed)


def provider(listener: dict[str, str]) -> dict[str, Any]:
    """What the gateway's management says of the shop."""
    rows: list[dict[str, Any]] = get(listener, "gateway", "/providers").body["providers"]
    return next(row for row in rows if row["provider"] == SHOP)


def secrets(listener: dict[str, str]) -> list[dict[str, Any]]:
    return [secret for contract in provider(listener)["contracts"] for secret in contract["secrets"]]


def append_draining(system: dict[str, str]) -> None:
    """Append that a gateway which has ended began to release the shop's quarantined webhooks."""
    now = Micros(clock.now())
    state = ProviderState(provider=SHOP, state="draining", reason="a test", by="kim", since=now, at=now)
    producer = writer(system).producer
    producer.produce(named(system, "provider-states.v1"), CODEC.encode(state), SHOP.encode())
    assert producer.flush(10) == 0


def last_words(system: dict[str, str]) -> str:
    """What a gateway says that does not start."""
    names = ("KAFKA_BOOTSTRAP_SERVERS", "WEBHOOK_SECRET", "MODE", "TOPIC_PREFIX")
    env = {name: system[name] for name in names} | {"PORT": "0", "MANAGEMENT_PORT": "0"}
    ended = subprocess.run(
        [sys.executable, "-m", "gateway"], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode != 0
    return ended.stderr


def named(system: dict[str, str], topic: str) -> str:
    return system["TOPIC_PREFIX"] + topic


def delete(system: dict[str, str], topic: str) -> None:
    admin, name = admin_of(system), named(system, topic)
    admin.delete_topics([name])[name].result(30)
    until(lambda: name in admin.list_topics(timeout=10).topics, lambda there: not there)


def with_partitions(system: dict[str, str], topic: str, partitions: int) -> None:
    admin, name = admin_of(system), named(system, topic)
    admin.create_topics([NewTopic(name, num_partitions=partitions, replication_factor=1)])[name].result(30)
    until(lambda: name in admin.list_topics(timeout=10).topics, bool)


def alter(system: dict[str, str], topic: str, setting: str, value: str) -> None:
    entry = ConfigEntry(setting, value, incremental_operation=AlterConfigOpType.SET)
    admin: AdminClient = admin_of(system)
    resource = ConfigResource(ResourceType.TOPIC, named(system, topic), incremental_configs=[entry])
    (done,) = admin.incremental_alter_configs([resource]).values()
    done.result(10)
