"""Any librdkafka property can be set from the environment, except those that the guarantees depend on."""

from pathlib import Path

import pytest

from runtime.config import kafka_properties
from runtime.config.settings import Settings

PASSWORD = "do-not-show-me"  # noqa: S105 - not one


def test_a_variable_sets_the_property_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")

    properties = kafka_properties.read(
        {
            "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_PASSWORD_FILE": str(tmp_path / "password"),
            "KAFKA_LOG_LEVEL": "6",
            "KAFKA_SASL_OAUTHBEARER_ASSERTION_FILE": "/run/assertion",
            "KAFKA_SSL_KEY_PASSWORD": "",
        }
    )

    assert properties == {
        "security.protocol": "SASL_SSL",
        "sasl.password": PASSWORD,
        "log_level": "6",
        "sasl.oauthbearer.assertion.file": "/run/assertion",
    }


def test_a_variable_wins_over_its_file() -> None:
    properties = kafka_properties.read({"KAFKA_SASL_PASSWORD": PASSWORD, "KAFKA_SASL_PASSWORD_FILE": "/nowhere"})

    assert properties == {"sasl.password": PASSWORD}


def test_service_links_of_kubernetes_and_our_own_pid_are_no_properties() -> None:
    links = ("SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_TCP_CLIENTS", "PORT", "PORT_9092_TCP", "PORT_9092_TCP_ADDR")

    assert kafka_properties.read({"KAFKA_PID": "1", **{f"KAFKA_{link}": "tcp://10.0.0.1:9092" for link in links}}) == {}


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("KAFKA_HOME", "/opt/kafka", "KAFKA_HOME: librdkafka knows no property home"),
        ("KAFKA_SASL_PASSWORT", PASSWORD, "KAFKA_SASL_PASSWORT: librdkafka knows no property sasl.passwort"),
        ("KAFKA_LOGGER", "x", "knows no property logger"),
        ("KAFKA_ON_DELIVERY", "x", "knows no property on.delivery"),
        ("KAFKA_DEFAULT_TOPIC_CONFIG", "x", "default.topic.config"),
        ("KAFKA_ACKS", "1", "guarantees rest on acks: only -1 or all is accepted"),
        ("KAFKA_REQUEST_REQUIRED_ACKS", "0", "guarantees rest on request.required.acks"),
        ("KAFKA_ENABLE_IDEMPOTENCE", "false", "only true is accepted"),
        ("KAFKA_PARTITIONER", "consistent_random", "only murmur2_random is accepted"),
        ("KAFKA_ENABLE_AUTO_COMMIT", "false", "guarantees rest on enable.auto.commit: unset it"),
        ("KAFKA_AUTO_OFFSET_RESET", "latest", "guarantees rest on auto.offset.reset"),
        ("KAFKA_DELIVERY_REPORT_ONLY_ERROR", "true", "guarantees rest on delivery.report.only.error"),
        ("KAFKA_QUEUING_STRATEGY", "lifo", "guarantees rest on queuing.strategy"),
        ("KAFKA_ISOLATION_LEVEL", "read_uncommitted", "guarantees rest on isolation.level"),
        ("KAFKA_TRANSACTIONAL_ID", "x", "guarantees rest on transactional.id"),
        ("KAFKA_GROUP_ID", "x", "set GROUP_PREFIX instead"),
        ("KAFKA_METADATA_BROKER_LIST", "x:1", "set KAFKA_BOOTSTRAP_SERVERS instead"),
        ("KAFKA_TEST_MOCK_NUM_BROKERS", "3", "a mock cluster stores nothing"),
        ("KAFKA_LINGER_MS", "soon", "KAFKA_LINGER_MS: Invalid value"),
        ("KAFKA_SOCKET_TIMEOUT_MS", "1", "outside allowed range"),
    ],
)
def test_what_cannot_be_set_is_refused_with_a_sentence_that_shows_no_secret(
    variable: str, value: str, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence) as refused:
        kafka_properties.read({variable: value})

    assert PASSWORD not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in kafka_properties.GUARANTEED.items() for value in values]
)
def test_a_guaranteed_value_is_accepted_and_changes_nothing(name: str, value: str) -> None:
    assert kafka_properties.read({f"KAFKA_{name.upper().replace('.', '_')}": value}) == {}


def test_a_wrong_property_stops_the_start_of_a_service_and_an_unreadable_file_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka:9092")
    monkeypatch.setenv("KAFKA_ACKS", "0")
    with pytest.raises(SystemExit):
        Settings.read()
    assert "cannot start: KAFKA_ACKS: hookstream's guarantees rest on acks" in capsys.readouterr().err

    monkeypatch.delenv("KAFKA_ACKS")
    monkeypatch.setenv("KAFKA_SASL_PASSWORD_FILE", "/nowhere")
    with pytest.raises(SystemExit):
        Settings.read()
    assert "cannot start: KAFKA_SASL_PASSWORD_FILE names /nowhere, which cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["TOPIC_PREFIX", "GROUP_PREFIX"])
def test_a_prefix_that_kafka_could_not_name_stops_the_start(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka:9092")
    monkeypatch.setenv(name, "shop a/")

    with pytest.raises(SystemExit):
        Settings.read()

    assert f"cannot start: {name}" in capsys.readouterr().err
