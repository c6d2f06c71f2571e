"""An invalid setting ends the start with a sentence that names the variable, never its value."""

from pathlib import Path

import pytest

from runtime.config.settings import EXIT_MISCONFIGURED
from runtime.config.worker_settings import WorkerSettings

SECRET = "postgresql://payment:hush@db/payment"  # noqa: S105


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka:9092")
    monkeypatch.delenv("DATABASE_URL", raising=False)


def test_a_secret_may_be_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text(f"{SECRET}\n")
    monkeypatch.setenv("DATABASE_URL_FILE", str(file))

    assert WorkerSettings.read().database_url == SECRET


def test_an_empty_file_sets_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    monkeypatch.setenv("DIRECT_DATABASE_URL_FILE", str(tmp_path / "empty"))
    monkeypatch.setenv("DATABASE_URL", SECRET)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")

    assert WorkerSettings.read().session_url == SECRET


def test_a_folder_may_hold_secrets_each_in_a_file_of_its_name_and_they_win(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "DATABASE_URL").write_text(f"{SECRET}\n")
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgresql://payment:local-only@db/payment")
    monkeypatch.setenv("MANAGEMENT_TOKEN", "a token of sixteen or more")

    settings = WorkerSettings.read()

    assert settings.database_url == SECRET
    assert settings.management_token == "a token of sixteen or more"  # noqa: S105 - a test's


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("DATABASE_URL_FILE", "/none/such", "DATABASE_URL_FILE names /none/such, which cannot be read (No such file"),
        ("BATCH_SIZE", "0", "BATCH_SIZE: Input should be greater than or equal to 1"),
        ("MODE", "production", "MODE: Input should be 'live' or 'test'"),
        ("LOG_LEVEL", "", "DATABASE_URL must be set"),
    ],
)
def test_a_wrong_value_stops_the_start_with_a_sentence(
    variable: str,
    value: str,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SystemExit) as stopped:
        WorkerSettings.read()

    assert stopped.value.code == EXIT_MISCONFIGURED
    assert f"cannot start: {sentence}" in capsys.readouterr().err
