"""The two steps of a mail, against a server that follows a script over a real socket."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from threading import Thread

import pytest

from notifier.smtp import MailServer, NoReply, NotTaken

GREETING, HELLO, OK, GO_AHEAD = b"220 hi\r\n", b"250 hello\r\n", b"250 ok\r\n", b"354 go on\r\n"
HANG_UP = b""
POLITE = [GREETING, HELLO, OK, OK, GO_AHEAD]


@contextmanager
def server(*replies: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A mail server that gives these replies in turn, one a command; an empty one hangs up. And what it was told."""
    heard: list[bytes] = []
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
                    heard.append(line)
                    if not in_body or line == b".\r\n":
                        break

    thread = Thread(target=serve, daemon=True)
    thread.start()
    yield f"smtp://127.0.0.1:{listener.getsockname()[1]}", heard
    thread.join(5)
    listener.close()


def a_mail(text: str = "hello\n") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "shop@example.test", "kim@example.test", "hi"
    mail.set_content(text)
    return mail


def test_a_mail_is_sent_when_the_server_takes_it() -> None:
    with server(*POLITE, OK) as (url, heard):
        mails = MailServer(url, 2)
        mails.offer(a_mail())
        mails.finish()
        mails.close()

    assert heard[1:4] == [b"mail FROM:<shop@example.test>\r\n", b"rcpt TO:<kim@example.test>\r\n", b"DATA\r\n"]


def test_nothing_is_sent_before_the_final_dot() -> None:
    with server(*POLITE) as (url, heard):
        mails = MailServer(url, 2)
        mails.offer(a_mail())
        mails.close()

    assert b".\r\n" not in heard


def test_a_line_that_begins_with_a_dot_does_not_end_the_mail() -> None:
    with server(*POLITE, OK) as (url, heard):
        mails = MailServer(url, 2)
        mails.offer(a_mail("one\n.\n.two\n"))
        mails.finish()
        mails.close()

    assert [line for line in heard if line.startswith(b".")] == [b"..\r\n", b"..two\r\n", b".\r\n"]


@pytest.mark.parametrize(
    ("replies", "final"),
    [
        ([b"421 busy\r\n"], False),
        ([GREETING, HELLO, b"451 later\r\n"], False),
        ([GREETING, HELLO, OK, b"450 later\r\n"], False),
        ([GREETING, HELLO, OK, b"550 nobody\r\n"], True),
        ([GREETING, HELLO, OK, OK, b"554 no\r\n"], True),
        ([GREETING, HELLO, OK, OK, HANG_UP], False),
        ([HANG_UP], False),
    ],
)
def test_a_mail_not_taken_before_the_dot_was_not_sent(replies: list[bytes], final: bool) -> None:
    with server(*replies) as (url, _), pytest.raises(NotTaken) as refused:
        MailServer(url, 2).offer(a_mail())

    assert refused.value.final is final


@pytest.mark.parametrize(("reply", "final"), [(b"452 full\r\n", False), (b"554 spam\r\n", True)])
def test_a_mail_refused_after_the_dot_was_not_sent_either(reply: bytes, final: bool) -> None:
    with server(*POLITE, reply) as (url, _):
        mails = MailServer(url, 2)
        mails.offer(a_mail())
        with pytest.raises(NotTaken) as refused:
            mails.finish()

    assert refused.value.final is final


def test_what_became_of_a_mail_is_not_known_when_the_server_vanishes_after_the_dot() -> None:
    with server(*POLITE, HANG_UP) as (url, _):
        mails = MailServer(url, 2)
        mails.offer(a_mail())
        with pytest.raises(NoReply):
            mails.finish()


def test_a_server_that_is_not_there_is_tried_again_later() -> None:
    with pytest.raises(NotTaken) as refused:
        MailServer("smtp://127.0.0.1:1", 2).offer(a_mail())

    assert refused.value.final is False
