"""Mails as bytes, read back by the email package: mail programs find exactly what was written."""

import re
from email import message_from_bytes, message_from_string
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notifier.mail.branding import check_name
from notifier.mail.mime import Mail

AT = "Tue, 14 Nov 2023 22:13:20 +0000"
HEADERS = ["Subject", "From", "Message-ID", "Date", "Content-Language", "MIME-Version", "Content-Type"]
CHARACTERS = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])
MARKED = st.sampled_from(
    ["=?utf-8?b?DQpCY2M6IGFAYi5j?=", "=?utf-8?q?=0D=0AX-Evil:_1?=", "=?", "?=", "김", '"', "\\", ", <a@b.c>"]
)
TITLES = st.lists(st.text(CHARACTERS, max_size=20) | MARKED, max_size=12).map(
    lambda words: " ".join(" ".join(words).split())
)
BODIES = st.lists(
    st.text(CHARACTERS | st.just("\t")) | st.sampled_from(["", ".", "--=_hookstream--", "From me", "x" * 2000])
).map(lambda lines: "\n".join([*lines, ""]))


def a_mail(subject: str = "hi", name: str = "", text: str = "hello\n", html: str = "<p>hello</p>\n") -> Mail:
    return Mail(name, "shop@example.test", subject, "<1@example.test>", "ko", AT, text, html)


def received(mail: Mail, *, international: bool = False) -> EmailMessage:
    """The email package reads headers in UTF-8 from text only."""
    written = mail.as_bytes(international=international)
    return (
        message_from_string(written.decode(), policy=default)
        if international
        else message_from_bytes(written, policy=default)
    )


@given(subject=TITLES, international=st.booleans())
@example(subject="a", international=False)
@example(subject="a b  c".replace("  ", " ") * 40, international=True)
@example(subject="김" * 300, international=False)
def test_a_subject_reads_as_it_was_written_and_begins_no_other_header(subject: str, international: bool) -> None:
    read = received(a_mail(subject), international=international)

    assert read["Subject"] == subject
    assert read.keys() == HEADERS
    assert not read.defects


@given(text=BODIES, html=BODIES)
def test_both_parts_read_as_they_were_written(text: str, html: str) -> None:
    read = received(a_mail(text=text, html=html))

    parts = list(read.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert [part.get_content().replace("\r\n", "\n") for part in parts] == [text, html]
    assert not any(part.defects for part in (read, *parts))


@given(subject=TITLES, name=TITLES, text=BODIES, international=st.booleans())
def test_no_line_is_longer_than_mail_servers_take_or_ends_a_mail(
    subject: str, name: str, text: str, international: bool
) -> None:
    written = a_mail(subject, name, text).as_bytes(international=international)

    lines = written.split(b"\r\n")
    assert max(len(line.decode()) for line in lines) <= 78
    assert not any(line.startswith(b".") for line in lines)
    assert b"\n" not in written.replace(b"\r\n", b"")
    assert b"\r" not in written.replace(b"\r\n", b"")
    assert international or written.isascii()


@given(name=TITLES, international=st.booleans())
@example(name='a, b: <c@d.test>; (e) "f" \\', international=False)
@example(name="초록 상점", international=True)
@example(name="x" * 300, international=False)
def test_a_sender_is_its_address_and_its_name(name: str, international: bool) -> None:
    try:
        check_name(name)
    except ValueError:
        return

    mail = a_mail(name=name)
    (sender,) = received(mail, international=international)["From"].addresses

    assert sender.addr_spec == "shop@example.test"
    assert name == (name_in_encoded_words(mail) or sender.display_name)


def name_in_encoded_words(mail: Mail) -> str:
    """Of several the email package puts spaces between their words, before Python 3.13; RFC 2047 §6.2 forbids it."""
    phrase = str(message_from_bytes(mail.as_bytes())["From"]).rpartition("<")[0]
    return str(make_header(decode_header(phrase))).strip() if phrase.count("=?") > 1 else ""


@given(subject=TITLES, name=TITLES)
def test_encoded_words_hold_whole_characters_and_are_no_longer_than_the_standard_allows(
    subject: str, name: str
) -> None:
    head = a_mail(subject, name).as_bytes().partition(b"\r\n\r\n")[0].decode()

    for word in re.findall(r"=\?utf-8\?b\?[A-Za-z0-9+/=]*\?=", head):
        assert len(word) <= 75
    assert max(map(len, head.split("\r\n"))) <= 78


@pytest.mark.parametrize("broken", ["a\r\nBcc: all@example.test", "a\nb", "a\rb", "\ud800"])
@pytest.mark.parametrize("field", ["subject", "name"])
def test_what_would_break_a_header_cannot_be_written(broken: str, field: str) -> None:
    with pytest.raises(ValueError, match=r"line break|surrogates"):
        a_mail(**{field: broken}).as_bytes()


def test_a_reader_beyond_ascii_gets_headers_as_they_are() -> None:
    head = a_mail("결제가 완료되었습니다", "초록 상점").as_bytes(international=True).decode()

    assert "\r\nFrom: 초록 상점 <shop@example.test>\r\n" in f"\r\n{head}"
    assert head.startswith("Subject: 결제가 완료되었습니다\r\n")


def test_a_mail_tells_its_language_its_date_and_its_id() -> None:
    read = received(a_mail())

    assert (read["Content-Language"], read["Message-ID"], read["Date"]) == ("ko", "<1@example.test>", AT)
