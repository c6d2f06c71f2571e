"""A wrong setting ends every command with a sentence and exit code 1, without a traceback."""

from pathlib import Path
from typing import Any

import pytest

from cli.evidence import collection, command
from local.services import SERVICES
from runtime.confidential.wrong_setting import UnreadableSetting
from tests.unit.cli.elsewhere import hookstream

KNOWN = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "MAIL_FROM": "mail@shop.example",
    **{service.variable("DATABASE_URL"): "postgresql://r:geheim@127.0.0.1:1/r" for service in SERVICES},
    **{service.variable("MANAGEMENT_URL"): "http://127.0.0.1:1" for service in SERVICES},
}
WRONG = {
    "a value that librdkafka refuses": ({"KAFKA_SECURITY_PROTOCOL": "NONSENSE"}, "KAFKA_SECURITY_PROTOCOL"),
    "a registry": ({"SCHEMA_REGISTRY_URL": "https://u:geheim\uff1ax@h"}, "SCHEMA_REGISTRY_URL"),
    "a file": ({"KAFKA_SASL_PASSWORD_FILE": "/nowhere"}, "KAFKA_SASL_PASSWORD_FILE names /nowhere"),
    "a database": ({"PAYMENT_DATABASE_URL": "postgre://r:geheim@h/r"}, "PAYMENT_DATABASE_URL"),
}
OF_KAFKA = ("a value that librdkafka refuses", "a file")
COMMANDS = {
    ("verify", "--timeout", "0"): ("a value that librdkafka refuses", "a registry", "a file"),
    ("evidence", "R-1"): ("a value that librdkafka refuses", "a registry", "a file"),
    ("status",): (*OF_KAFKA, "a database"),
    ("topics", "check"): OF_KAFKA,
    ("quarantine", "list"): ("a value that librdkafka refuses", "a registry", "a file"),
    ("migrate", "payment"): ("a database",),
}


@pytest.mark.parametrize(
    ("words", "setting"), [(words, setting) for words, settings in COMMANDS.items() for setting in settings]
)
def test_a_wrong_setting_is_one_sentence(words: tuple[str, ...], setting: str, tmp_path: Path) -> None:
    given, named = WRONG[setting]

    done = hookstream(tmp_path, *words, env={**KNOWN, **given})

    assert done.returncode == 1, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert named.removeprefix("PAYMENT_") in done.stderr or "a database URL must be" in done.stderr
    assert "geheim" not in done.stdout + done.stderr


def test_an_unreadable_secret_of_evidence_is_named_and_is_not_the_zip(tmp_path: Path) -> None:
    write: Any = command._write  # noqa: SLF001 - needs no Kafka
    env, zip_file = {"WEBHOOK_SECRET_FILE": "/nowhere"}, tmp_path / "evidence.zip"

    with pytest.raises(UnreadableSetting) as raised:
        write(zip_file, lambda _: collection.secrets_of(env, "WEBHOOK_SECRET"))

    sentence = "WEBHOOK_SECRET_FILE names /nowhere, which cannot be read (No such file or directory)"
    assert str(raised.value) == sentence
    assert not zip_file.exists()


def test_a_secret_that_is_not_utf_8_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"geheim\xff")

    with pytest.raises(UnreadableSetting, match="it is not UTF-8"):
        collection.secrets_of({"WEBHOOK_SECRET_FILE": str(tmp_path / "secret")}, "WEBHOOK_SECRET")
