"""The two steps of a mail, against a server that follows a script over a real socket."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from threading import Thread

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from notifier.contacts import parsing
from notifier.mail.mime import Mail
from notifier.sending.smtp import NoReply, NotTaken
from tests.mail_lane import MailServer
from tests.mail_server import Server, mail_server
from tests.postman import Trick, postman

GREETING, HELLO, OK, GO_AHEAD = b"220 hi\r\n", b"250 hello\r\n", b"250 ok\r\n", b"354 go on\r\n"
HANG_UP = b""
SHOP, KIM = "shop@example.test", "kim@example.test"
POLITE = [GREETING, HELLO, OK, OK, GO_AHEAD]


ADDRESS_LIKE = st.text(st.sampled_from("abAB01.@-_+|!%/'<>(),;:=?[] \t\xa0\uff20\uff0e\u3002é한ß"), min_size=1)


@pytest.fixture(scope="module")
def taking() -> Iterator[Server]:
    """A server that takes every address it can read, also beyond ASCII."""
    with mail_server() as server:
        yield server


@contextmanager
def server(*replies: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Serve these replies in turn, one per command; an empty one hangs up. Yield the URL and the lines received."""
    received: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines:
            for reply in replies:
                if reply == HANG_UP:
                    return
                connection.sendall(reply)
                in_body = reply is GO_AHEAD
                while line := lines.readline():
                    received.append(line)
                    if not in_body or line == b".\r\n":
                        break

    thread = Thread(target=serve, daemon=True)
    thread.start()
    yield f"smtp://127.0.0.1:{listener.getsockname()[1]}", received
    thread.join(60)
    listener.close()


def a_mail(text: str = "hello\n") -> Mail:
    return Mail("", SHOP, "hi", "<1@example.test>", "en", "Tue, 14 Nov 2023 22:13:20 +0000", text, f"<p>{text}</p>")


def test_a_mail_is_sent_when_the_server_takes_it() -> None:
    with server(*POLITE, OK) as (url, received):
        mails = MailServer(url, 2)
        mails.offer(SHOP, KIM, a_mail())
        mails.finish()
        mails.close()

    assert received[1:4] == [b"MAIL FROM:<shop@example.test>\r\n", b"RCPT TO:<kim@example.test>\r\n", b"DATA\r\n"]
    assert received[4] == b"To: kim@example.test\r\n"


def test_nothing_is_sent_before_the_final_dot() -> None:
    with server(*POLITE) as (url, received):
        mails = MailServer(url, 2)
        mails.offer(SHOP, KIM, a_mail())
        mails.close()

    assert b".\r\n" not in received


def test_a_line_that_begins_with_a_dot_does_not_end_the_mail() -> None:
    with server(*POLITE, OK) as (url, received):
        mails = MailServer(url, 2)
        mails.offer(SHOP, KIM, a_mail("one\n.\n.two\n"))
        mails.finish()
        mails.close()

    assert [line for line in received if line.startswith(b".")] == [b".\r\n"]


@pytest.mark.parametrize(
    ("replies", "final"),
    [
        ([b"421 busy\r\n"], False),
        ([b"554 no service here\r\n"], False),
        ([GREETING, b"550 who are you\r\n", b"550 who are you\r\n"], False),
        ([GREETING, HELLO, b"451 later\r\n"], False),
        ([GREETING, HELLO, b"550 not from you\r\n"], False),
        ([GREETING, HELLO, b"530 log in first\r\n"], False),
        ([GREETING, HELLO, OK, b"450 later\r\n"], False),
        ([GREETING, HELLO, OK, b"503 out of turn\r\n"], False),
        ([GREETING, HELLO, OK, b"502 not implemented\r\n"], False),
        ([GREETING, HELLO, OK, b"552 too many\r\n"], False),
        ([GREETING, HELLO, OK, b"501 no such syntax\r\n"], True),
        ([GREETING, HELLO, OK, b"550 nobody\r\n"], True),
        ([GREETING, HELLO, OK, OK, b"503 no recipients\r\n"], False),
        ([GREETING, HELLO, OK, OK, b"554 no\r\n"], True),
        ([GREETING, HELLO, OK, OK, OK], False),  # 250 to DATA: the replies are out of step
        ([GREETING, HELLO, OK, OK, b"nonsense\r\n"], False),
        ([GREETING, HELLO, OK, OK, HANG_UP], False),
        ([HANG_UP], False),
    ],
)
def test_a_mail_not_taken_before_the_dot_was_not_sent(replies: list[bytes], final: bool) -> None:
    with server(*replies) as (url, received), pytest.raises(NotTaken) as refused:
        MailServer(url, 2).offer(SHOP, KIM, a_mail())

    assert refused.value.final is final
    assert b".\r\n" not in received


@pytest.mark.parametrize(
    ("reply", "final"),
    [
        (b"452 full\r\n", False),
        (b"503 out of turn\r\n", False),
        (b"500 what\r\n", False),
        (b"552 too large\r\n", True),
        (b"554 spam\r\n", True),
    ],
)
def test_a_mail_refused_after_the_dot_was_not_sent_either(reply: bytes, final: bool) -> None:
    with server(*POLITE, reply) as (url, _):
        mails = MailServer(url, 2)
        mails.offer(SHOP, KIM, a_mail())
        with pytest.raises(NotTaken) as refused:
            mails.finish()

    assert refused.value.final is final


@pytest.mark.parametrize("reply", [b"nonsense\r\n", b"354 go on\r\n", b"999 ?\r\n", b"\r\n"])
def test_a_reply_to_the_dot_that_means_nothing_leaves_the_mail_unknown(reply: bytes) -> None:
    with server(*POLITE, reply) as (url, _):
        mails = MailServer(url, 2)
        mails.offer(SHOP, KIM, a_mail())
        with pytest.raises(NoReply):
            mails.finish()


def test_a_mail_that_breaks_half_way_leaves_nothing_on_the_connection_of_the_next() -> None:
    broken = replace(a_mail(), subject="\ud800")  # cannot be encoded, which shows when it is written out

    with postman() as man:
        mails = MailServer(man.url, 2)
        for mail in (a_mail(), broken, a_mail()):
            with suppress(UnicodeError):
                mails.offer(SHOP, KIM, mail)
                mails.finish()
        mails.close()

    assert (man.tried[KIM], len(man.to(KIM))) == (2, 2)


@pytest.mark.parametrize("trick", ["503 at rcpt", "503 after dot", "550 at rcpt", "554 after dot"])
def test_a_mail_that_is_refused_ends_its_connection(trick: Trick) -> None:
    with postman() as man:
        man.plays(KIM, trick)
        mails = MailServer(man.url, 2)
        with pytest.raises(NotTaken):
            send(mails)
        send(mails)
        send(mails)
        mails.close()

    assert (man.connections, len(man.to(KIM))) == (2, 2)


def send(mails: MailServer) -> None:
    mails.offer(SHOP, KIM, a_mail())
    mails.finish()


def test_what_became_of_a_mail_is_not_known_when_the_server_vanishes_after_the_dot() -> None:
    with server(*POLITE, HANG_UP) as (url, _):
        mails = MailServer(url, 2)
        mails.offer(SHOP, KIM, a_mail())
        with pytest.raises(NoReply):
            mails.finish()


def test_a_server_that_is_not_there_is_tried_again_later() -> None:
    with pytest.raises(NotTaken) as refused:
        MailServer("smtp://127.0.0.1:1", 2).offer(SHOP, KIM, a_mail())

    assert refused.value.final is False


@given(given_text=st.text() | st.builds("{}@{}.test".format, ADDRESS_LIKE, ADDRESS_LIKE) | ADDRESS_LIKE)
@settings(max_examples=150, deadline=None)
@example(given_text="=?utf-8?q?victim=40other.test=2C?=@x.test")
@example(given_text="김민지@쇼핑몰.한국")
def test_whatever_is_given_the_server_hears_the_stored_address_or_nothing(taking: Server, given_text: str) -> None:
    stored = parsing.parse(given_text, "customerEmail").address
    if stored is None:
        return

    mails = MailServer(f"smtp://127.0.0.1:{taking.port}", 5)
    mails.offer(SHOP, stored, a_mail())
    mails.finish()
    mails.close()

    received = taking.mails.pop()
    assert received.recipients == [stored]
    assert received.content.startswith(f"To: {stored}\r\n".encode())
    assert taking.mails == []
