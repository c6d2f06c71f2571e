"""A setting with a password in its URL may be wrong; no error repeats a part of the password."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from console.alerts.settings import AlertSettings
from notifier import smtp_url
from notifier.mail import branding
from runtime.clients import loopback
from runtime.clients.management_client import ManagementClient, ServiceUnreachable
from runtime.confidential.urls import without_password
from runtime.confidential.wrong_setting import UnreadableSetting, WrongSetting, read_file
from runtime.config.settings import Settings, complaints
from runtime.config.worker_settings import WorkerSettings
from runtime.postgres.engine import engine
from simulator import stores
from stream.avro.registry import client_of_environment
from stream.avro.registry_client import RegistryClient, RegistryError

KAFKA = {"kafka_bootstrap_servers": "127.0.0.1:1"}
STORE = {**KAFKA, "database_url": "postgresql://r:r@127.0.0.1/r"}
FULL_WIDTH, SLASH, AT, BRACKET = "geheim\uff1ax", "ge/heim", "ge@heim", "geheim[x"


def settings(kind: Any, given: dict[str, Any]) -> Callable[[str], object]:
    """Return a function that reads the settings with a URL, and raises what the operator would read."""

    def read(url: str) -> object:
        try:
            return kind(**{name: value or url for name, value in given.items()})
        except ValidationError as wrong:
            raise ValueError("\n".join(complaints(wrong))) from None

    return read


READERS: dict[str, tuple[str, Callable[[str], object]]] = {
    "SMTP_URL": ("smtp", smtp_url.parse),
    "SHOP_URL": ("https", branding.parse_shop_url),
    "SCHEMA_REGISTRY_URL": ("https", settings(Settings, {**KAFKA, "schema_registry_url": None})),
    "SCHEMA_REGISTRY_URL of a command": ("https", lambda url: client_of_environment({"SCHEMA_REGISTRY_URL": url})),
    "ALERT_WEBHOOK_URL": ("https", settings(AlertSettings, {**STORE, "alert_webhook_url": None})),
    "ALERT_SLACK_URL": ("https", settings(AlertSettings, {**STORE, "alert_slack_url": None})),
    "a management URL": ("http", lambda url: loopback.get(url, timeout_s=0.1)),
}


@pytest.mark.parametrize("password", [FULL_WIDTH, SLASH, BRACKET])
@pytest.mark.parametrize("setting", READERS)
def test_an_error_about_a_url_does_not_repeat_its_password(setting: str, password: str) -> None:
    scheme, read = READERS[setting]

    with pytest.raises((ValueError, OSError)) as raised:
        read(f"{scheme}://user:{password}@127.0.0.1:1")

    assert "heim" not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://role:{AT}@127.0.0.1:1/name",
        "postgresql://role:ge@he/im@127.0.0.1:1/name",
        "postgresql://role:ge@he?im@127.0.0.1:1/name",
        "postgresql://role:r@127.0.0.1:geheim/name",
        "postgre://role:geheim@127.0.0.1:1/name",
        "postgresql//role:geheim@127.0.0.1:1/name",
    ],
)
@pytest.mark.parametrize(
    "read",
    [
        settings(WorkerSettings, {**STORE, "database_url": None}),
        settings(WorkerSettings, {**STORE, "direct_database_url": None}),
        lambda url: engine(url, service="payment"),
        lambda url: stores.url({"PAYMENT_DATABASE_URL": url}, "payment"),
    ],
)
def test_a_wrong_database_url_is_a_sentence_without_the_password(read: Callable[[str], object], url: str) -> None:
    with pytest.raises(ValueError, match="a database URL must be postgresql://role:password@host") as raised:
        read(url)

    assert "heim" not in "".join(traceback.format_exception(raised.value))


def test_a_store_is_connected_to_without_its_url_which_libpq_would_quote() -> None:
    connection = stores.url({"PAYMENT_DATABASE_URL": "postgresql://role:geheim%zz@127.0.0.1:1/name"}, "payment")

    assert "://" not in connection


def test_a_registry_url_is_never_shown_with_a_part_of_its_password() -> None:
    with pytest.raises(WrongSetting) as raised:
        RegistryClient("https://user:1/geheim@registry.example")

    assert "geheim" not in str(raised.value)


def test_an_error_about_a_proxy_does_not_repeat_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for proxy in ("http:user:geheim@proxy.example", "http://user:geheim/x@proxy.example"):
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.delenv("no_proxy", raising=False)

        with pytest.raises(RegistryError) as raised:
            RegistryClient("http://registry.example").call("GET", "/")

        assert "geheim" not in str(raised.value)


def test_a_registry_url_that_a_client_refuses_is_refused_with_the_other_settings() -> None:
    with pytest.raises(ValidationError):
        Settings(kafka_bootstrap_servers="127.0.0.1:1", schema_registry_url="https://user:1/geheim@registry.example")


def test_a_url_in_the_variable_of_a_file_is_not_repeated() -> None:
    with pytest.raises(UnreadableSetting) as raised:
        read_file("DATABASE_URL", Path("postgresql://r:geheim@h/db"))

    assert "geheim" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("url", ["user:geheim@h:1", "http:/user:geheim@h:1", "http://user:geheim@h:1"])
def test_a_url_without_a_scheme_is_shown_without_its_password_too(url: str) -> None:
    assert without_password(url).endswith("…@h:1")
    assert "geheim" not in without_password(url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://r:r@h1,h2/n",
        "postgresql:///n?host=/var/run",
        "postgresql+psycopg2://r:r@h/n",
        "postgres://r:r%40@h/n",
    ],
)
def test_other_urls_of_a_database_are_accepted(url: str) -> None:
    assert WorkerSettings(kafka_bootstrap_servers="127.0.0.1:1", database_url=url).database_url == url


def test_a_service_that_does_not_answer_is_named_without_credentials() -> None:
    client = ManagementClient({"payment": "http://user:ge@heim@127.0.0.1:1"}, None, timeout_s=0.1)

    with pytest.raises(ServiceUnreachable, match=r"at http://…@127\.0\.0\.1:1 does") as raised:
        client.get("payment", "/dead")

    assert "heim" not in str(raised.value)
    assert without_password("https://user:ge/heim@h/path") == "https://…@h/path"
