"""Wrong settings stop the notifier at its start instead of failing later."""

from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import ValidationError

from notifier import smtp_url
from notifier.mail import mime
from notifier.settings import NotifierSettings
from runtime.config.settings import complaints


def settings(**given: str) -> NotifierSettings:
    sure: dict[str, Any] = {
        "database_url": "postgresql://n:n@127.0.0.1/n",
        "kafka_bootstrap_servers": "127.0.0.1:9092",
        "smtp_url": "smtp://127.0.0.1:25",
        "mail_from": "mail@shop.example",
    }
    return NotifierSettings(**{**sure, **given})


@pytest.mark.parametrize(
    ("mail_from", "shop_name", "sender"),
    [
        ("mail@shop.example", None, "mail@shop.example"),
        ("My Shop <mail@shop.example>", None, "My Shop <mail@shop.example>"),
        ("My Shop <mail@shop.example>", "Another", "My Shop <mail@shop.example>"),
        ("mail@shop.example", "초록 상점", "초록 상점 <mail@shop.example>"),
        ('"Kim, Lee & Co." <mail@shop.example>', None, '"Kim, Lee & Co." <mail@shop.example>'),
        ("<mail@shop.example>", None, "mail@shop.example"),
        ("상점 <mail@bücher.example>", None, "상점 <mail@xn--bcher-kva.example>"),
        ("hookstream@localhost", None, "hookstream@localhost"),
    ],
)
def test_a_sender_is_an_address_with_or_without_a_name(mail_from: str, shop_name: str | None, sender: str) -> None:
    given = {"mail_from": mail_from, **({"shop_name": shop_name} if shop_name else {})}

    branding = settings(**given).branding

    assert mime.sender_header(branding.display_name, branding.address, international=True) == f"From: {sender}"


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("mail_from", "My Shop", "it has no @"),
        ("mail_from", "Kim <a@b.example>, Lee <c@d.example>", "it must be an address"),
        ("mail_from", "a@b.example, c@d.example", "more than one @"),
        ("mail_from", "My Shop <mail@shop..example>", "the domain is not a host name"),
        ("mail_from", "김@shop.example", "must be ASCII"),
        ("mail_from", "My\nShop <mail@shop.example>", "control character"),
        ("operator_email", "nobody", "it has no @"),
        ("operator_email", "=?utf-8?q?a?=@b.example", "encoded word"),
        ("shop_url", "shop.example", "such as https://shop.example"),
        ("shop_url", "javascript:alert(1)", "such as https://shop.example"),
        ("shop_name", "a\nb", "control character"),
        ("shop_name", "a" * 101, "at most 100"),
        ("shop_name", "a\u2028b", "line break"),
        ("shop_name", "=?utf-8?q?a?=", "decode to something else"),
        ("mail_connections", "0", "greater than or equal to 1"),
        ("mail_gather_s", "-1", "greater than or equal to 0"),
        ("mail_from", "=?utf-8?b?7IOB7KCQ?= <mail@shop.example>", "decode to something else"),
        ("smtp_url", "mail.shop.example:25", "smtp:// or smtps://"),
        ("smtp_url", "http://mail.shop.example", "smtp:// or smtps://"),
        ("smtp_url", "smtp://", "names no host"),
        ("smtp_url", "smtp://mail.shop.example:99999", "port"),
        ("smtp_url", "smtp://u:pass/word@mail.shop.example", "port"),
        ("smtp_url", "smtp://mail.shop.example?tls=maybe", "tls=required or tls=off"),
        ("smtp_url", "smtp://mail.shop.example?ssl=off", "tls=required or tls=off"),
        ("smtp_url", "smtps://mail.shop.example?tls=off", "write smtp://"),
        ("smtp_ca", "/nowhere/ca.pem", "No such file"),
        ("smtp_ca", __file__, "PEM"),
    ],
)
def test_a_wrong_one_stops_the_start_with_a_sentence(name: str, value: str, why: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        settings(**{name: value})

    (sentence,) = complaints(wrong.value)
    assert sentence.startswith(f"cannot start: {name.upper()}: ")
    assert why in sentence


def test_an_authority_is_a_file_or_its_text(tmp_path: Path) -> None:
    pem = trustme.CA().cert_pem
    pem.write_to_path(str(tmp_path / "ca.pem"))

    for given in (str(tmp_path / "ca.pem"), pem.bytes().decode()):
        assert settings(smtp_ca=given).smtp_ca == given.strip()


@pytest.mark.parametrize(
    ("url", "tls"),
    [
        ("smtp://mail.shop.example", "offered"),
        ("smtp://mail.shop.example?tls=required", "required"),
        ("smtp://u:p@mail.shop.example:587", "required"),
        ("smtp://u@mail.shop.example:587", "required"),
        ("smtp://u:p@10.0.0.1", "required"),
        ("smtp://u:p@localhost.shop.example", "required"),
        ("smtp://u:p@mail.shop.example?tls=off", "off"),
        ("smtp://u:p@localhost", "offered"),
        ("smtp://u:p@127.0.0.1:25", "offered"),
        ("smtp://u:p@[::1]:25", "offered"),
        ("smtp://u:p@127.0.0.1?tls=required", "required"),
        ("smtps://u:p@mail.shop.example", "implicit"),
        ("smtps://mail.shop.example/?tls=required", "implicit"),
    ],
)
def test_a_password_needs_tls_unless_the_host_is_loopback_or_the_url_overrides_it(url: str, tls: str) -> None:
    assert smtp_url.parse(url).tls == tls


def test_user_and_password_are_what_the_url_means_and_no_error_shows_them() -> None:
    url = smtp_url.parse("smtps://shop%40example.test:p%2Fw%3F%23@mail.shop.example")

    assert (url.user, url.password, url.name) == ("shop@example.test", "p/w?#", "mail.shop.example:465")
