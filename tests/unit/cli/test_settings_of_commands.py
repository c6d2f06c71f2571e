"""Where the command line finds its settings."""

from pathlib import Path

import pytest

from cli import environment
from local.messages import CommandError
from runtime.config.settings import Settings
from stream.avro.codec import Codec


def test_a_folder_of_secrets_that_does_not_exist_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path / "missing"))

    with pytest.raises(CommandError) as raised:
        environment.read()

    assert str(raised.value) == f"SECRETS_DIR: {tmp_path / 'missing'} cannot be read (No such file or directory)."


def test_a_file_of_a_kafka_setting_that_does_not_exist_is_one_sentence() -> None:
    with pytest.raises(CommandError) as raised:
        environment.cluster({"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "KAFKA_SASL_PASSWORD_FILE": "/nowhere"})

    assert str(raised.value) == (
        "KAFKA_SASL_PASSWORD_FILE names /nowhere, which cannot be read (No such file or directory)."
    )


def test_files_of_secrets_win_over_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "GATEWAY_URL").write_text("of the file\n")
    monkeypatch.setenv("GATEWAY_URL", "of the variable")
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))

    assert environment.read()["GATEWAY_URL"] == "of the file"


def test_a_schema_registry_that_does_not_answer_is_an_error_for_people_and_no_traceback() -> None:
    codec = Codec(environment.registry({"SCHEMA_REGISTRY_URL": "http://127.0.0.1:1"}))

    with pytest.raises(CommandError, match=r"the schema registry at http://127\.0\.0\.1:1 does not answer"):
        codec.decode(b"\0\0\0\0\1")


def test_the_mode_is_live_unless_it_is_set_and_no_other_word_is_accepted() -> None:
    assert environment.mode({}) == Settings.model_fields["mode"].default == "live"
    assert environment.mode({"MODE": "test"}) == "test"
    with pytest.raises(CommandError, match="MODE must be live or test"):
        environment.mode({"MODE": "prod"})
