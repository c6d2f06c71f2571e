"""The gateway's settings: a wrong one ends the start with a sentence that names it, and never shows a secret."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.settings import GatewaySettings
from providers import generic, tapayz

ROOT = Path(__file__).parents[3]
MISCONFIGURED = 78
SECRET = "hunter2"  # noqa: S105


def settings(**given: object) -> GatewaySettings:
    return GatewaySettings(**{"kafka_bootstrap_servers": "localhost:1", "webhook_secret": "s", **given})  # type: ignore[arg-type]


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
        "(WEBHOOK_ALLOW_UNSIGNED=true lets them, for trying things out)\n"
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
    (tmp_path / "secret").write_text("  from-a-file\n")
    monkeypatch.setenv("WEBHOOK_SECRET_FILE", str(tmp_path / "secret"))
    monkeypatch.delenv("WEBHOOK_SECRET", raising=False)

    read = GatewaySettings(kafka_bootstrap_servers="localhost:1")

    assert read.secrets("WEBHOOK_SECRET") == (b"from-a-file",)


@pytest.mark.parametrize(
    ("written", "live"),
    [
        ("a", (b"a",)),
        ("a,b", (b"a", b"b")),
        (" a , b ", (b"a", b"b")),
        ("a,,b,", (b"a", b"b")),
        ("비밀", ("비밀".encode(),)),
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


@pytest.mark.parametrize(("secret", "allowed", "active"), [("", False, False), ("s", False, True), ("", True, True)])
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
