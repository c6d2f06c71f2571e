"""The gateway's settings: an invalid one ends the start with a sentence that names it, never with a secret."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from confirmer.settings import ConfirmerSettings
from console.settings import ConsoleSettings
from gateway.settings import GatewaySettings
from providers import catalogue
from providers.generic import webhook as generic
from providers.tapayz import webhook as tapayz
from runtime.config.secrets import local_defaults

ROOT = Path(__file__).parents[3]
MISCONFIGURED = 78
SECRET = "hunter2 hunter2 hunter2"  # noqa: S105
LONG, OTHER = "a" * 16, "b" * 20


def settings(**given: object) -> GatewaySettings:
    return GatewaySettings(**{"kafka_bootstrap_servers": "localhost:1", "webhook_secret": SECRET, **given})  # type: ignore[arg-type]


def started(**variables: str) -> tuple[int, str]:
    """The exit code and the last words of a gateway with nothing else in its environment."""
    ended = subprocess.run(
        [sys.executable, "-m", "gateway"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "KAFKA_BOOTSTRAP_SERVERS": "localhost:1", **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stderr


def test_without_a_secret_it_does_not_start_and_says_which_one() -> None:
    code, said = started()

    assert code == MISCONFIGURED
    assert said == (
        "cannot start: WEBHOOK_SECRET must be set: without it anybody could report a payment "
        "(to try things out, set WEBHOOK_ALLOW_UNSIGNED=true)\n"
    )


def test_each_wrong_setting_gets_a_sentence_that_names_it_without_its_value() -> None:
    code, said = started(
        WEBHOOK_SECRET=SECRET,
        RATE_LIMIT="hunter3",
        PORT="hunter4",
        MAX_BODY_BYTES="1",
        BODY_TIMEOUT_S="0",
        MODE="x",
    )

    named = {line.split(": ")[1] for line in said.splitlines()}
    assert (code, named) == (
        MISCONFIGURED,
        {"RATE_LIMIT", "PORT", "MAX_BODY_BYTES", "BODY_TIMEOUT_S", "MODE"},
    )
    assert "hunter" not in said


def test_a_secret_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    code, said = started(WEBHOOK_SECRET_FILE=str(tmp_path / "none"))

    assert code == MISCONFIGURED
    assert str(tmp_path / "none") in said
    assert said.count("\n") == 1


def test_a_secret_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("  secret-from-a-file\n")
    monkeypatch.setenv("WEBHOOK_SECRET_FILE", str(tmp_path / "secret"))
    monkeypatch.delenv("WEBHOOK_SECRET", raising=False)

    read = GatewaySettings(kafka_bootstrap_servers="localhost:1")

    assert read.secrets("WEBHOOK_SECRET") == (b"secret-from-a-file",)


@pytest.mark.parametrize(
    ("written", "live"),
    [
        (LONG, (LONG.encode(),)),
        (f"{LONG},{OTHER}", (LONG.encode(), OTHER.encode())),
        (f" {LONG} , {OTHER} ", (LONG.encode(), OTHER.encode())),
        (f"{LONG},,{OTHER},", (LONG.encode(), OTHER.encode())),
        ("비밀비밀비밀", ("비밀비밀비밀".encode(),)),
    ],
)
def test_several_secrets_may_be_live(written: str, live: tuple[bytes, ...]) -> None:
    assert settings(webhook_secret=written).secrets("WEBHOOK_SECRET") == live


@pytest.mark.parametrize("nothing", ["", " ", ",", " , "])
def test_a_secret_of_nothing_is_none(nothing: str) -> None:
    with pytest.raises(ValueError, match="WEBHOOK_SECRET must be set"):
        settings(webhook_secret=nothing)


def test_unsigned_webhooks_are_only_taken_when_that_is_said() -> None:
    assert settings(webhook_secret="", webhook_allow_unsigned=True).secrets("WEBHOOK_SECRET") == ()


@pytest.mark.parametrize("setting", [row.secret_setting.lower() for row in catalogue.BY_NAME.values()])
@pytest.mark.parametrize(
    ("short", "said"),
    [
        ("s", "must have at least 16 bytes"),
        ("a" * 15, "must have at least 16 bytes"),
        ("whsec_" + "a" * 15, "must have at least 16 bytes"),
        ("aaaa,", "secret 1 of 1 .* must have at least 16 bytes"),
        (f"{LONG},b", "secret 2 of 2 .* must have at least 16 bytes"),
        ("a,b,c,d,e,f,g,h,i,j", "secret 1 of 10 .* must have at least 16 bytes"),
        ("비밀", "must have at least 16 bytes"),
    ],
)
def test_a_short_secret_is_refused_and_a_comma_makes_none_longer(setting: str, short: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        settings(**{setting: short})


def test_a_short_secret_stops_the_start_with_a_sentence_that_does_not_show_it() -> None:
    code, said = started(WEBHOOK_SECRET="hunter2", MANAGEMENT_TOKEN="hunter3", STRIPE_WEBHOOK_SECRET=f"{LONG},hunter4")  # noqa: S106

    advice = "must have at least 16 bytes, such as those of `openssl rand -hex 32`"
    assert code == MISCONFIGURED
    assert sorted(said.splitlines()) == [
        f"cannot start: MANAGEMENT_TOKEN: {advice}",
        f"cannot start: STRIPE_WEBHOOK_SECRET: secret 2 of 2 (a comma separates them) {advice}",
        f"cannot start: WEBHOOK_SECRET: {advice}",
    ]


@pytest.mark.parametrize("known", ["local-only-secret", "bG9jYWwtb25seS1zZWNyZXQ=", f"{LONG},local-only-secret"])
@pytest.mark.parametrize("name", ["WEBHOOK_SECRET", "PORTONE_V2_WEBHOOK_SECRET", "MANAGEMENT_TOKEN"])
def test_live_mode_takes_no_secret_that_is_for_ones_own_machine(name: str, known: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: a published development secret"):
        settings(**{name.lower(): known, "mode": "live"})

    assert settings(**{name.lower(): known, "mode": "test"}).mode == "test"


def test_every_default_secret_of_compose_is_recognised() -> None:
    defaults = re.findall(
        r"\$\{([A-Z0-9_]*(?:SECRET|TOKEN|KEY|PASSWORD)):-([^}]+)\}", (ROOT / "compose.yaml").read_text()
    )

    assert [name for name, default in defaults if name not in local_defaults({name: default})] == []


def test_live_mode_takes_no_local_password_of_a_database_nor_key_of_an_api_nor_token() -> None:
    given: dict[str, Any] = {"kafka_bootstrap_servers": "localhost:1", "mode": "live", "console_token": LONG}
    url = "postgresql://console:{}@postgres:5432/console"

    assert ConsoleSettings(**given, database_url=url.format("one-of-ours"))
    with pytest.raises(ValueError, match="DATABASE_URL: a published development secret"):
        ConsoleSettings(**given, database_url=url.format("local-only"))
    with pytest.raises(ValueError, match="CONSOLE_TOKEN: a published development secret"):
        ConsoleSettings(**{**given, "console_token": "local-only-token"}, database_url=url.format("one-of-ours"))
    with pytest.raises(ValueError, match="TOSS_API_KEY: a published development secret"):
        ConfirmerSettings(**given, database_url=url.format("one-of-ours"), toss_api_key="local-only-key")


@pytest.mark.parametrize(("secret", "allowed", "active"), [("", False, False), (LONG, False, True), ("", True, True)])
def test_a_provider_that_may_not_sign_is_on_with_a_secret_or_where_unsigned_is_allowed(
    secret: str, allowed: bool, active: bool
) -> None:
    given = settings(tapayz_webhook_secret=secret, tapayz_allow_unsigned=allowed)

    assert (given.is_active(tapayz.PROVIDER), given.allows_unsigned(tapayz.PROVIDER)) == (active, allowed)
    assert not given.allows_unsigned(generic.PROVIDER)


@pytest.mark.parametrize(("written", "rate"), [("off", None), ("50/100", (50, 100)), ("1/1", (1, 1))])
def test_a_rate_is_requests_a_second_and_a_burst(written: str, rate: tuple[int, int] | None) -> None:
    assert settings(rate_limit=written).rate() == rate


@pytest.mark.parametrize(
    "wrong", ["", "50", "50/", "/100", "a/b", "-1/5", "1.5/2", "50/100/1", "OFF", "0/100", "50/0", "\u0665/\u0665"]
)
def test_what_is_no_rate_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="rate_limit"):
        settings(rate_limit=wrong)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", []),
        (" ", []),
        ("10.0.0.1", ["10.0.0.1/32"]),
        ("10.0.0.1, ::1 ,", ["10.0.0.1/32", "::1/128"]),
        ("203.0.113.0/24,2001:db8::/32", ["203.0.113.0/24", "2001:db8::/32"]),
        ("203.0.113.7/24", ["203.0.113.0/24"]),
        ("::ffff:203.0.113.7, ::ffff:10.0.0.0/104, [2001:db8::1]", ["203.0.113.7/32", "10.0.0.0/8", "2001:db8::1/128"]),
        ("0.0.0.0/0, ::/0", ["0.0.0.0/0", "::/0"]),
    ],
)
def test_an_allow_list_has_addresses_and_networks_and_an_empty_one_lets_everybody_in(
    written: str, read: list[str]
) -> None:
    given = settings(generic_allowed_ips=written, trusted_proxies=written)

    assert list(map(str, given.allowed_ips("generic"))) == list(map(str, given.proxies())) == read
    assert given.allowed_ips("shop") == ()


@pytest.mark.parametrize(
    "wrong",
    ["10.0.0.0/33", "10.0.0", "localhost", "10.0.0.1:80", "10.0.0.256", "10.0.0.1 10.0.0.2", "::1/129", "*", "5"],
)
@pytest.mark.parametrize("setting", ["generic_allowed_ips", "stripe_allowed_ips", "trusted_proxies"])
def test_what_is_no_address_and_no_network_is_refused_by_its_place(setting: str, wrong: str) -> None:
    with pytest.raises(ValueError, match="entry 2 is neither an IP address nor a network"):
        settings(**{setting: f"10.0.0.1, {wrong}"})


def test_a_wrong_network_stops_the_start_with_a_sentence() -> None:
    code, said = started(WEBHOOK_SECRET=SECRET, TOSS_ALLOWED_IPS="10.0.0.0/99", TRUSTED_PROXIES="proxy")

    assert code == MISCONFIGURED
    wrong = "entry 1 is neither an IP address nor a network such as 203.0.113.0/24"
    assert sorted(said.splitlines()) == [
        f"cannot start: TOSS_ALLOWED_IPS: {wrong}",
        f"cannot start: TRUSTED_PROXIES: {wrong}",
    ]
