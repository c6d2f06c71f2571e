"""Only stream.kafka.cluster constructs Kafka clients, with the configured properties."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.config.settings import Settings
from stream.kafka import producer
from stream.kafka.cluster import Cluster
from stream.kafka.group.consumer import CONSUMER

ROOT = Path(__file__).parent.parent.parent.parent
CLIENTS = {"Producer", "Consumer", "AdminClient", "AIOProducer", "AIOConsumer", "ShareConsumer"}
MAKERS = {"stream/kafka/cluster.py", "runtime/config/kafka_properties.py"}


def test_no_other_module_constructs_a_client() -> None:
    folders = ("auditor", "bench", "cli", "confirmer", "console", "gateway", "local", "notifier", "processors")
    files = [
        file
        for name in (*folders, "runtime", "simulator", "stream")
        for file in (ROOT / name).rglob("*.py")
        if ".venv" not in file.parts
    ]

    made_in = {str(file.relative_to(ROOT)) for file in files if CLIENTS & set(_called(ast.parse(file.read_text())))}

    assert made_in <= MAKERS
    assert "runtime/config/kafka_properties.py" in made_in, "the search finds a client that is constructed"


def _called(tree: ast.AST) -> list[str]:
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [func.id if isinstance(func, ast.Name) else getattr(func, "attr", "") for func in called]


def test_the_settings_reach_every_kind_of_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client itself rejects a SASL mechanism without a password, which shows that the setting reaches it."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka:9092")
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("KAFKA_SASL_MECHANISM", "SCRAM-SHA-512")
    cluster = Cluster.of(Settings.read(), "payment")

    for make in (
        cluster.admin,
        lambda: cluster.producer(producer.PRODUCER),
        lambda: cluster.consumer("payment", CONSUMER),
    ):
        with pytest.raises(SystemExit):
            make()


def test_settings_that_contradict_each_other_stop_the_start_with_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cluster = Cluster("kafka:9092", "payment", properties={"session.timeout.ms": "6000"})

    with pytest.raises(SystemExit) as stopped:
        cluster.consumer("payment", CONSUMER)

    assert stopped.value.code == 78
    assert "cannot start: the KAFKA_… settings do not fit together" in capsys.readouterr().err


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_both_group_protocols_make_a_consumer(protocol: str) -> None:
    cluster = Cluster("127.0.0.1:1", "payment", properties={"group.protocol": protocol})

    cluster.consumer("payment", CONSUMER).close()


def test_a_password_stands_in_no_representation() -> None:
    assert "do-not-show-me" not in repr(Cluster("kafka:9092", "x", properties={"sasl.password": "do-not-show-me"}))


def test_prefixes_stand_before_the_names_of_topics_and_groups(tmp_path: Path) -> None:
    (tmp_path / "prefix").write_text("acme.\n")
    script = "from stream.events import topics; print(topics.PAYMENTS.name, topics.dead('payment').name)"

    for given in ({"TOPIC_PREFIX": "acme."}, {"TOPIC_PREFIX_FILE": str(tmp_path / "prefix")}):
        names = subprocess.run([sys.executable, "-c", script], env=given, capture_output=True, text=True, check=True)
        assert names.stdout.split() == ["acme.payments.v1", "acme.payment.dead.v1"]

    assert Cluster("kafka:9092", "payment", "acme-").group("payment") == "acme-payment"


@pytest.mark.parametrize(("given", "partitions"), [({}, 12), ({"TOPIC_PARTITIONS": "3"}, 3)])
def test_topics_have_the_partitions_that_are_set(given: dict[str, str], partitions: int) -> None:
    script = "from stream.events import topics; print(topics.PARTITIONS)"

    counted = subprocess.run([sys.executable, "-c", script], env=given, capture_output=True, text=True, check=True)

    assert int(counted.stdout) == partitions
