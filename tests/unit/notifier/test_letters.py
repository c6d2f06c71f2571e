"""What people are written: every fact, for everybody it concerns, in every language we write."""

from email.message import EmailMessage
from typing import Any

import msgspec
import pytest

from notifier import phrasing
from notifier.audience import AUDIENCES, LOCALES, locale_of
from notifier.letters import TEMPLATES, compose
from notifier.mailbox import Letter
from notifier.templates.build import compiled
from stream.events import Fact
from tests.builders import NOON

WRITTEN = [(fact, audience, locale) for fact, told in AUDIENCES.items() for audience in told for locale in LOCALES]


@pytest.mark.parametrize(("fact", "audience", "language"), WRITTEN)
def test_everything_there_is_to_tell_can_be_told(fact: type[Fact], audience: str, language: str) -> None:
    mail = compose(a_letter(fact, audience, language), "shop@example.test")

    text = text_of(mail)
    assert "O-7" in mail["Subject"] + text
    assert mail["Message-ID"] == "<11111111-1111-1111-1111-111111111111@example.test>"
    assert "{" not in mail["Subject"] + text
    assert text.splitlines()[0] in mail.get_body(("html",)).get_content()  # type: ignore[union-attr]


@pytest.mark.parametrize(("fact", "audience", "language"), WRITTEN)
def test_a_letter_can_be_written_from_the_little_some_providers_tell(
    fact: type[Fact], audience: str, language: str
) -> None:
    mail = compose(a_letter(fact, audience, language, sparse=True), "shop@example.test")

    assert "None" not in mail["Subject"] + text_of(mail)


def test_names_and_reasons_are_text_in_the_html_part_and_never_markup() -> None:
    fact = next(kind for kind in AUDIENCES if kind.__name__ == "PaymentFailed")

    mail = compose(a_letter(fact, "customer", "en", name="<script>alert(1)</script>"), "shop@example.test")

    assert "<script>" not in mail.get_body(("html",)).get_content()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("amount", "currency", "language", "said"),
    [
        (58000, "KRW", "ko", "58,000원"),
        (58000, "KRW", "en", "₩58,000"),
        (1250, "USD", "en", "$12.50"),
        (1250, "USD", "ko", "US$12.50"),
        (12345, "KWD", "en", "KWD12.345"),
        (500, "JPY", "en", "¥500"),
        (None, "KRW", "ko", None),
    ],
)
def test_amounts_are_written_as_people_there_write_them(amount: int, currency: str, language: str, said: str) -> None:
    assert phrasing.money(amount, currency, language) == said


def test_times_are_koreas() -> None:
    assert phrasing.time(NOON, "ko") == "2023년 11월 15일 07:13"
    assert phrasing.time(NOON, "en") == "Nov 15, 2023, 07:13 KST"


@pytest.mark.parametrize(
    ("wishes", "language"),
    [
        (("en-US",), "en"),
        (("ko_KR", "en"), "ko"),
        ((None, "en"), "en"),
        (("fr", "en"), "en"),
        (("fr",), "ko"),
        ((), "ko"),
    ],
)
def test_a_mail_is_in_the_first_language_wished_for_that_we_write(
    wishes: tuple[str | None, ...], language: str
) -> None:
    assert locale_of(*wishes) == language


def test_the_committed_layout_is_what_its_source_compiles_to() -> None:
    assert (TEMPLATES / "layout.html").read_text() == compiled()


def a_letter(
    fact: type[Fact], audience: str, language: str, *, sparse: bool = False, name: str | None = "김철수"
) -> Letter:
    said: dict[str, Any] = {field.name: f"a {field.name}" for field in msgspec.structs.fields(fact)}
    said |= {name: 58000 for name in said if name.endswith("amount")} | {"occurred_at": NOON, "received_at": NOON}
    said |= {name: "KRW" for name in said if name.endswith("currency")} | {"order_id": "O-7", "paid_at": NOON}
    if sparse:
        nullable = [
            field.name for field in msgspec.structs.fields(fact) if type(None) in getattr(field.type, "__args__", ())
        ]
        said |= {name: None for name in nullable if name != "order_id"}
    return Letter(
        notification_id="11111111-1111-1111-1111-111111111111",
        fact_id="22222222-2222-2222-2222-222222222222",
        fact_type=fact.__name__,
        audience=audience,
        channel="email",
        order_id="O-7",
        customer_id=None,
        fact=msgspec.json.encode(said).decode(),
        attempts=0,
        recipient="kim@example.test",
        name=None if sparse else name,
        locale=language,
        link=None if sparse else "https://shop.example/orders/7",
    )


def text_of(mail: EmailMessage) -> str:
    return mail.get_body(("plain",)).get_content()  # type: ignore[union-attr, no-any-return]
