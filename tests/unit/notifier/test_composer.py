"""The texts of mails: every event type, for each of its audiences, in both languages."""

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import msgspec
import pytest

from notifier import recipients
from notifier.mail import composer, formatting, reasons
from notifier.mail.branding import Branding
from notifier.mail.composer import TEMPLATES, render
from notifier.mail.templates.build import compiled
from notifier.operator_alerts import digest
from notifier.queue.mail_queue import QueuedMail
from notifier.recipients import AUDIENCES, LOCALES, NOT_MAILED, locale_of
from stream import events
from stream.events import (
    DigitalDeliveryRequested,
    DisputeClosed,
    DisputeOpened,
    DomainEvent,
    InvoiceFailed,
    OrderId,
    PaymentCompleted,
    PaymentFailed,
    PaymentRefunded,
    SubscriptionCancelled,
)
from stream.events.text import payment_methods
from tests.builders import NOON

WRITTEN = [
    (event_type, audience, locale)
    for event_type, audiences in AUDIENCES.items()
    for audience in audiences
    for locale in LOCALES
]
EVENT_TYPES = {kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, DomainEvent)}
ABSTRACT = {kind for kind in EVENT_TYPES if kind.__subclasses__()}
SHOP = Branding("mail@example.test", shop_name="초록 상점", shop_url="https://shop.example/")
NAMED = "O-7", "a invoice_id", "a title", "A PLAN"


def test_every_event_type_has_audiences_or_is_listed_as_not_mailed() -> None:
    assert {*AUDIENCES, *NOT_MAILED} == EVENT_TYPES - ABSTRACT
    assert not AUDIENCES.keys() & set(NOT_MAILED)


@pytest.mark.parametrize(("event_type", "audience", "language"), WRITTEN)
def test_every_event_can_be_composed_for_each_of_its_audiences(
    event_type: type[DomainEvent], audience: str, language: str
) -> None:
    mail = compose(a_queued_mail(event_type, audience, language), SHOP)

    text = text_of(mail)
    assert any(name in mail["Subject"] + text for name in NAMED)
    assert mail["Message-ID"] == "<11111111-1111-1111-1111-111111111111@example.test>"
    assert not set("{}[]") & set(mail["Subject"] + text)
    assert text.splitlines()[0] in mail.get_body(("html",)).get_content()  # type: ignore[union-attr]


@pytest.mark.parametrize(("event_type", "audience", "language"), WRITTEN)
def test_a_mail_can_be_composed_from_required_fields_only(
    event_type: type[DomainEvent], audience: str, language: str
) -> None:
    mail = compose(a_queued_mail(event_type, audience, language, sparse=True), SHOP)

    assert "None" not in mail["Subject"] + text_of(mail)
    assert "\n\n\n" not in text_of(mail)


@pytest.mark.parametrize(("event_type", "audience", "language"), WRITTEN)
def test_the_in_app_message_is_the_first_paragraph_without_a_greeting(
    event_type: type[DomainEvent], audience: str, language: str
) -> None:
    rendered = render(a_queued_mail(event_type, audience, language))

    assert rendered.message.strip()
    assert "김철수" not in rendered.message
    assert "\n" not in rendered.title + rendered.message


@pytest.mark.parametrize("language", LOCALES)
def test_a_failed_invoice_shows_the_received_and_the_expected_amount(language: str) -> None:
    queued = a_queued_mail(
        InvoiceFailed, "customer", language, changes={"reason": "amount_mismatch", "crypto_asset": "USDT"}
    )

    assert text_of(compose(queued, SHOP)) == INVOICE_FAILED[language]


INVOICE_FAILED = {
    "ko": """\
김철수님, 안녕하세요.

결제가 완료되지 않았습니다. 사유: 금액 불일치. 보내신 금액의 환불을 요청했습니다.

받은 금액: 74.074074 USDT
청구 금액: 75.5 USDT
청구서 번호: a invoice_id
시각: 2023년 11월 15일 07:13

주문 보기: https://shop.example/orders/7

--\x20
초록 상점
https://shop.example/
자동으로 발송된 메일입니다.
""",
    "en": """\
Hello 김철수,

Your payment did not go through. Reason: the amounts differ. We have asked for what you sent to be given back.

Received: 74.074074 USDT
Expected: 75.5 USDT
Invoice: a invoice_id
Time: Nov 15, 2023, 07:13 KST

View the order: https://shop.example/orders/7

--\x20
초록 상점
https://shop.example/
This mail was sent automatically.
""",
}


def test_a_partial_refund_shows_the_amount_refunded_now_and_in_total() -> None:
    queued = a_queued_mail(PaymentRefunded, "customer", "ko", changes={"amount": 3000, "refunded_amount": 8000})

    mail = compose(queued, SHOP)

    assert mail["Subject"] == "주문 O-7: 결제금액 일부가 환불되었습니다"
    assert text_of(mail).splitlines()[4:6] == ["환불금액: 3,000원", "누적 환불금액: 8,000원"]


def test_the_end_of_a_cancelled_subscription_is_a_day() -> None:
    queued = a_queued_mail(SubscriptionCancelled, "customer", "ko", changes={"plan": "pro", "ends_at": NOON})

    mail = compose(queued, SHOP)

    assert mail["Subject"] == "PRO 구독이 해지되었습니다"
    assert "종료일: 2023년 11월 15일\n" in text_of(mail)


def test_a_line_break_in_a_title_breaks_no_header() -> None:
    queued = a_queued_mail(DigitalDeliveryRequested, "customer", "en", changes={"title": "a\r\nBcc: all@example.test"})

    assert compose(queued, SHOP)["Bcc"] is None


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("event_type", [DisputeOpened, DisputeClosed])
def test_a_dispute_of_an_unknown_order_shows_the_provider_and_the_transaction_id(
    event_type: type[DomainEvent], language: str
) -> None:
    changes = {"order_id": None, "transaction_id": "pi_1", "provider": "stripe", "status": "won"}

    mail = compose(a_queued_mail(event_type, "operator", language, changes=changes), SHOP)

    assert "stripe" in mail["Subject"]
    assert "pi_1" in mail["Subject"]
    assert "None" not in mail["Subject"] + text_of(mail)
    assert ("not known yet" if language == "en" else "주문 미확인") in text_of(mail)


@pytest.mark.parametrize("language", LOCALES)
def test_alerts_are_grouped_into_one_mail(language: str) -> None:
    dead = {"service": "payment", "event_id": "E-1", "topic": "t", "partition": 1, "offset": 2, "error": "no {record}"}
    mail = {"id": "M-1", "event_type": "PaymentCompleted", "audience": "customer", "order_id": "O-7"}
    quarantined = {
        "id": "Q-1",
        "provider": "tapayz",
        "cause": "invalid_field",
        "detail": "cashAmount is finer than KRW",
    }
    event = digest([("dead", dead)] * 2 + [("quarantined", quarantined)] * 3 + [("unknown", mail)] * 60, NOON)
    queued = replace(
        a_queued_mail(PaymentFailed, "operator", language),
        event_type="OperatorAlerts",
        event=msgspec.json.encode(event).decode(),
    )

    written = compose(queued, SHOP)

    assert "2" in written["Subject"]
    assert "60" in written["Subject"]
    assert "no {record}" in text_of(written)
    assert text_of(written).count("M-1") == 2 * 45
    assert "15" in text_of(written)
    assert "3" in written["Subject"]
    assert text_of(written).count("cashAmount is finer than KRW") == 3
    assert "hookstream quarantine show Q-1" in text_of(written)


def test_names_and_reasons_are_text_in_the_html_part_and_never_markup() -> None:
    mail = compose(a_queued_mail(PaymentFailed, "customer", "en", name="<script>alert(1)</script>"), SHOP)

    assert "<script>" not in mail.get_body(("html",)).get_content()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("amount", "currency", "language", "expected"),
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
def test_amounts_are_written_as_people_there_write_them(
    amount: int, currency: str, language: str, expected: str
) -> None:
    assert formatting.money(amount, currency, language) == expected


@pytest.mark.parametrize(
    ("amount", "asset", "language", "expected"),
    [
        ("74.074074", "USDT", "ko", "74.074074 USDT"),
        ("0.10", "1001", "ko", "0.10 (자산 1001)"),
        ("0.10", "1001", "en", "0.10 (asset 1001)"),
        ("1.229", None, "en", "1.229"),
    ],
)
def test_crypto_is_its_decimal_text_and_its_asset(amount: str, asset: str | None, language: str, expected: str) -> None:
    assert formatting.crypto(amount, asset, language) == expected


def test_our_reason_codes_are_put_into_words_and_other_reasons_stay_unchanged() -> None:
    assert reasons.reason("amount_mismatch", "ko") == "금액 불일치"
    assert reasons.reason("잔액 부족", "en") == "잔액 부족"
    assert reasons.reason("unknown", "ko") is None
    assert reasons.reason(None, "ko") is None


def test_times_are_koreas() -> None:
    assert formatting.time(NOON, "ko") == "2023년 11월 15일 07:13"
    assert formatting.time(NOON, "en") == "Nov 15, 2023, 07:13 KST"


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


@pytest.mark.parametrize(
    ("wish", "language"),
    [
        ("ko-KR,ko;q=0.9", "ko"),
        ("fr-FR,fr;q=0.9,en;q=0.8,ko;q=0.7", "en"),
        ("ko;q=0.1, en;q=0.9", "en"),
        ("en;q=0, ko", "ko"),
        ("*,en;q=0.5", "en"),
        ("en_US.UTF-8", "en"),
        ("EN", "en"),
        ("eng", "en"),
        ("kor", "ko"),
        ("en;q=high", "en"),
        ("../en", "ko"),
        ("", "ko"),
        (",;,", "ko"),
    ],
)
def test_a_language_is_found_in_whatever_a_browser_or_a_system_calls_it(wish: str, language: str) -> None:
    assert locale_of(wish) == language


@pytest.mark.parametrize(
    ("method", "ko", "en"),
    [
        ("card", "카드", "card"),
        ("카드", "카드", "card"),
        ("CARD", "카드", "card"),
        ("PaymentMethodCard", "카드", "card"),
        ("가상계좌", "가상계좌", "virtual account"),
        ("VIRTUAL_ACCOUNT", "가상계좌", "virtual account"),
        ("vbank", "가상계좌", "virtual account"),
        ("VirtualAccount", "가상계좌", "virtual account"),
        ("계좌이체", "계좌이체", "bank transfer"),
        ("trans", "계좌이체", "bank transfer"),
        ("bank_transfer", "계좌이체", "bank transfer"),
        ("간편결제", "간편결제", "easy pay"),
        ("EasyPay", "간편결제", "easy pay"),
        ("휴대폰", "휴대폰 결제", "mobile phone bill"),
        ("HPP", "휴대폰 결제", "mobile phone bill"),
        ("문화상품권", "문화상품권", "culture gift certificate"),
        ("kakaopay", "카카오페이", "KakaoPay"),
        ("us_bank_account", "계좌이체", "bank transfer"),
        ("klarna", "klarna", "klarna"),
        ("", None, None),
        (None, None, None),
    ],
)
def test_a_payment_method_is_in_the_reader_s_language(method: str | None, ko: str | None, en: str | None) -> None:
    assert (payment_methods.method(method, "ko"), payment_methods.method(method, "en")) == (ko, en)


def test_a_mail_names_its_shop_in_the_sender_both_parts_and_the_title_of_the_page() -> None:
    mail = compose(a_queued_mail(PaymentFailed, "customer", "ko"), SHOP)
    text, html = text_of(mail), html_of(mail)

    assert str(mail["From"]) == "초록 상점 <mail@example.test>"
    assert f"<title>{mail['Subject']}</title>" in html
    for part in (text, html):
        assert part.count("초록 상점") >= 1
        assert "https://shop.example/" in part
        assert "https://shop.example/orders/7" in part
        assert "자동으로 발송된 메일입니다." in part


@pytest.mark.parametrize(
    "name",
    [
        "=?utf-8?b?DQpCY2M6IGFAYi5j?=",  # a line break and "Bcc: a@b.c", once decoded
        "=?utf-8?q?=0D=0AX-Evil:_1?=",
        "=?utf-8?q?=ff?=",
        "=?utf-8?q?x?= =?utf-8?q?y?=",
        "=?",
        'a, b: <c@d.test>; (e) "f"',
        "김" * 128,
        "x" * 128,
    ],
)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_an_order_s_id_writes_no_header_and_reads_as_it_is_in_the_subject(name: str, language: str) -> None:
    queued = a_queued_mail(PaymentCompleted, "customer", language, changes={"order_id": name})

    mail = compose(queued, SHOP)

    assert mail["Subject"] == render(queued).title
    assert name in mail["Subject"]
    assert mail.keys() == compose(a_queued_mail(PaymentCompleted, "customer", language), SHOP).keys()


def test_a_mail_of_a_shop_without_a_name_is_from_its_address_alone() -> None:
    mail = compose(a_queued_mail(PaymentFailed, "customer", "en"), Branding("mail@example.test"))

    assert str(mail["From"]) == "mail@example.test"
    assert text_of(mail).endswith("\n\n--\x20\nThis mail was sent automatically.\n")


def test_a_link_that_is_a_path_begins_at_the_shop_and_is_left_out_while_that_is_not_known() -> None:
    queued = replace(a_queued_mail(PaymentFailed, "customer", "en"), link="/orders/7?a=1&b=2")

    known, unknown = compose(queued, SHOP), compose(queued, Branding("mail@example.test"))

    assert "View the order: https://shop.example/orders/7?a=1&b=2\n" in text_of(known)
    assert 'href="https://shop.example/orders/7?a=1&amp;b=2"' in html_of(known)
    assert "/orders/7" not in text_of(unknown) + html_of(unknown)


def test_a_mail_does_not_write_its_own_to_line() -> None:
    assert compose(a_queued_mail(PaymentFailed, "customer", "en"), SHOP)["To"] is None


def test_what_others_wrote_stays_on_its_line() -> None:
    changes = {"reason": "declined\n\nCall 1-900\x1b[31m now"}

    text = text_of(
        compose(a_queued_mail(PaymentFailed, "customer", "en", name="Kim\r\n\r\nHello", changes=changes), SHOP)
    )

    assert text.splitlines()[0] == "Hello Kim Hello,"
    assert "declined Call 1-900 [31m now" in text


@pytest.mark.parametrize(
    ("provider", "order", "is_for_subscription"),
    [
        ("tosspayments", "BIZ-123-PRO-20260203120000", True),
        ("tosspayments", "something-else", True),
        ("toss", "BIZ-123-PRO-20260203", True),
        ("toss", "O-7", False),
        ("generic", "BIZ-7", False),
    ],
)
def test_a_subscription_payment_is_known_by_its_provider_or_order_id(
    provider: str, order: str, is_for_subscription: bool
) -> None:
    queued = a_queued_mail(
        PaymentCompleted,
        "seller",
        "ko",
        changes={"provider": provider, "order_id": order, "mode": "test", "state": None},
    )

    event = msgspec.json.decode(queued.event, type=PaymentCompleted)

    assert recipients.is_for_subscription(event) is is_for_subscription


def test_the_committed_layout_is_what_its_source_compiles_to() -> None:
    assert (TEMPLATES / "layout.html").read_text() == compiled()


@pytest.mark.parametrize("link", ["https://[", "//[", "https://[shop]/orders/1"])
def test_a_link_with_a_wrong_host_is_left_out_and_does_not_stop_the_mail(link: str) -> None:
    queued = replace(a_queued_mail(PaymentFailed, "customer", "en"), link=link)

    mail = composer.compose(queued, SHOP)

    assert "View the order" not in mail.text
    assert link not in mail.html


def compose(queued: QueuedMail, branding: Branding) -> EmailMessage:
    """The mail as its reader's program reads it."""
    return message_from_bytes(composer.compose(queued, branding).as_bytes(), policy=default)


def a_queued_mail(
    event_type: type[DomainEvent],
    audience: str,
    language: str,
    *,
    sparse: bool = False,
    name: str | None = "김철수",
    changes: dict[str, Any] | None = None,
) -> QueuedMail:
    values = {field.name: a_value(field, event_type) for field in msgspec.structs.fields(event_type)}
    if sparse:
        values |= {field.name: None for field in msgspec.structs.fields(event_type) if type(None) in kinds(field)}
    values |= {"order_id": "O-7", **(changes or {})}
    return QueuedMail(
        notification_id="11111111-1111-1111-1111-111111111111",
        event_id="22222222-2222-2222-2222-222222222222",
        event_type=event_type.__name__,
        audience=audience,
        channel="email",
        order_id=OrderId("O-7"),
        customer_id=None,
        user_id=None,
        event=msgspec.json.encode(values).decode(),
        attempts=0,
        recipient="kim@example.test",
        name=None if sparse else name,
        locale=language,
        link=None if sparse else "https://shop.example/orders/7",
    )


def a_value(field: Any, event_type: type[DomainEvent]) -> Any:
    if field.name.endswith(("_at", "due_by")):
        return NOON
    if field.name.endswith("currency"):
        return "KRW"
    if field.name.endswith("amount"):
        return 58000 if int in kinds(field) else {"received_amount": "74.074074"}.get(field.name, "75.5")
    return f"a {field.name}"


def kinds(field: Any) -> tuple[Any, ...]:
    return getattr(field.type, "__args__", (field.type,))


def html_of(mail: EmailMessage) -> str:
    return content(mail, "html")


def text_of(mail: EmailMessage) -> str:
    return content(mail, "plain")


def content(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part
    return str(part.get_content()).replace("\r\n", "\n")
