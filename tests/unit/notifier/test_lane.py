"""Mails in lockstep: an error on one connection affects only its mail."""

import socket
import time
from threading import Thread

import pytest

from notifier.mail.mime import Mail
from notifier.queue.mail_queue import QueuedMail, first_of_each_order
from notifier.sending.lane import IDLE_CLOSE_S, WIDEN_AFTER_S, Lane, NotTried
from notifier.sending.smtp import NoReply, NotBegun, NotTaken, SmtpEnvelope, envelope, is_answer
from stream.events import OrderId
from tests.actors import until
from tests.postman import Postman, Trick, postman

TIMEOUT_S = 1.5
READERS = [f"reader-{n}@example.test" for n in range(5)]
BAD = READERS[2]


def mails(*recipients: str, text: str = "hello\n") -> list[SmtpEnvelope]:
    date = "Tue, 14 Nov 2023 22:13:20 +0000"
    mail = Mail("", "shop@example.test", "hi", "<1@example.test>", "en", date, text, f"<p>{text}</p>")
    return [envelope("shop@example.test", recipient, mail) for recipient in recipients]


def a_lane(server: Postman, width: int = len(READERS)) -> Lane:
    return Lane(server.url, TIMEOUT_S, width=width)


@pytest.mark.parametrize("pipelining", [False, True])
def test_no_mail_is_sent_before_the_dots_and_each_after_them(pipelining: bool) -> None:
    with postman(pipelining=pipelining) as server:
        lane = a_lane(server)

        offered = lane.offer(mails(*READERS))
        before = list(server.mails)
        received = lane.finish()
        lane.offer(mails(*READERS[:3]))
        again = lane.finish()
        lane.close()

    assert (offered, before, received, again) == ([None] * 5, [], [None] * 5, [None] * 3)
    assert sorted(address for address, _ in server.mails) == sorted(READERS + READERS[:3])
    assert server.connections == 5


@pytest.mark.parametrize("pipelining", [False, True])
@pytest.mark.parametrize(
    ("trick", "final"),
    [
        ("450 at rcpt", False),
        ("550 at rcpt", True),
        ("stall at rcpt", False),
        ("drip at rcpt", False),
        ("no end at rcpt", False),
        ("hang up at rcpt", False),
        ("421 at rcpt", False),
        ("hang up at data", False),
    ],
)
def test_what_a_server_does_to_an_offer_concerns_its_mail_alone(trick: Trick, final: bool, pipelining: bool) -> None:
    with postman(pipelining=pipelining) as server:
        server.plays(BAD, trick)
        lane = a_lane(server)

        offered = lane.offer(mails(*READERS))
        received = lane.finish()
        lane.close()

    refused = offered.pop(2)
    assert isinstance(refused, NotTaken)
    assert refused.final is final
    assert (offered, received) == ([None] * 4, [None] * 4)
    assert sorted(address for address, _ in server.mails) == sorted({*READERS} - {BAD})


@pytest.mark.parametrize(
    ("trick", "kind"),
    [
        ("hang up in data", NotTaken),
        ("421 in data", NotTaken),
        ("452 after dot", NotTaken),
        ("554 after dot", NotTaken),
        ("hang up after dot", NoReply),
        ("stall after dot", NoReply),
    ],
)
def test_what_a_server_does_to_a_dot_concerns_its_mail_alone(trick: Trick, kind: type[Exception]) -> None:
    with postman() as server:
        server.plays(BAD, trick)
        lane = a_lane(server)

        lane.offer(mails(*READERS))
        until(lambda: server.open, lambda count: count == (4 if "in data" in trick else 5))
        received = lane.finish()
        second_round = lane.offer(mails(*READERS)), lane.finish()
        lane.close()

    assert isinstance(received.pop(2), kind)
    assert received == [None] * 4
    assert second_round == ([None] * 5, [None] * 5)
    assert server.connections == 6


@pytest.mark.parametrize("pipelining", [False, True])
@pytest.mark.parametrize(
    ("trick", "answers"),
    [("hang up at rcpt", True), ("421 at rcpt", True), ("hang up at data", True), ("stall at rcpt", False)],
)
def test_a_connection_closed_at_a_mail_is_an_answer_to_it_and_a_timeout_is_none(
    trick: Trick, *, answers: bool, pipelining: bool
) -> None:
    with postman(pipelining=pipelining) as server:
        server.plays(BAD, trick)
        lane = a_lane(server)

        (refused,) = lane.offer(mails(BAD))
        lane.close()

    assert isinstance(refused, NotTaken)
    assert not isinstance(refused, NotBegun)
    assert is_answer(refused) is answers


def test_a_server_that_closes_at_a_mail_before_its_replies_left_is_asked_again_command_by_command() -> None:
    """As a server that gathers its replies to pipelined commands and ends at RCPT."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for pipelined in (True, False):
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as lines:
                connection.sendall(b"220 hi\r\n")
                lines.readline()
                connection.sendall(b"250-hi\r\n250 PIPELINING\r\n")
                if pipelined:
                    assert [lines.readline()[:4] for _ in range(3)] == [b"MAIL", b"RCPT", b"DATA"]
                    continue
                assert lines.readline()[:4] == b"MAIL"
                connection.sendall(b"250 ok\r\n")
                assert lines.readline()[:4] == b"RCPT"

    thread = Thread(target=serve, daemon=True)
    thread.start()
    lane = Lane(f"smtp://127.0.0.1:{listener.getsockname()[1]}", 5.0)

    (refused,) = lane.offer(mails(BAD))

    assert isinstance(refused, NotTaken)
    assert is_answer(refused)
    thread.join(60)
    listener.close()
    lane.close()


def test_a_server_that_closes_each_connection_at_mail_answers_none() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as lines:
                connection.sendall(b"220 hi\r\n")
                lines.readline()
                connection.sendall(b"250-hi\r\n250 PIPELINING\r\n")
                lines.readline()

    Thread(target=serve, daemon=True).start()

    (refused,) = Lane(f"smtp://127.0.0.1:{listener.getsockname()[1]}", 5.0).offer(mails(BAD))

    assert isinstance(refused, NotBegun)
    assert not is_answer(refused)


def test_a_server_that_takes_fewer_connections_makes_the_lane_narrower_and_costs_no_mail_a_try() -> None:
    with postman() as server:
        server.most = 2
        lane = a_lane(server)

        offered = lane.offer(mails(*READERS))
        lane.finish()
        capacity = lane.capacity(time.monotonic())
        again = lane.offer(mails(*READERS[:capacity]))
        lane.finish()
        lane.close()

    assert sorted(type(one).__name__ for one in offered) == ["NoneType", "NoneType", "NotTried", "NotTried", "NotTried"]
    assert (capacity, again) == (2, [None, None])
    assert len(server.mails) == 4


def test_a_narrow_lane_grows_again_when_the_server_takes_more() -> None:
    with postman() as server:
        server.most = 1
        lane = a_lane(server)
        lane.offer(mails(*READERS))
        lane.finish()
        limited_at = time.monotonic()
        assert lane.capacity(limited_at) == 1

        server.most = 1000
        grown = [lane.capacity(limited_at + turn * (WIDEN_AFTER_S + 1)) for turn in (1, 2, 3, 4)]
        offered = lane.offer(mails(*READERS))
        lane.finish()
        lane.close()

    assert grown == [2, 4, 5, 5]
    assert offered == [None] * 5


def test_without_any_connection_each_mail_is_tried_again_later() -> None:
    offered = Lane("smtp://127.0.0.1:1", TIMEOUT_S, width=3).offer(mails(*READERS[:3]))

    assert [isinstance(one, NotTaken) and not one.final for one in offered] == [True] * 3


def test_a_connection_that_the_server_closed_meanwhile_costs_no_mail_a_try() -> None:
    with postman() as server:
        server.plays(BAD, "421 after 250")
        lane = a_lane(server)
        lane.offer(mails(*READERS))
        received = lane.finish()

        again = lane.offer(mails(*READERS)), lane.finish()
        lane.close()

    assert (received, again) == ([None] * 5, ([None] * 5, [None] * 5))
    assert server.connections == 6


def test_who_is_to_stop_waits_for_no_server() -> None:
    with postman() as server:
        server.plays(BAD, "stall at rcpt")
        lane = Lane(server.url, 60.0, width=2)

        offered = lane.offer(mails(READERS[0], BAD), lambda: True)
        lane.close()

    assert isinstance(offered[1], NotTried)
    assert server.mails == []


def test_a_large_mail_goes_to_a_server_that_reads_slowly_beside_a_small_one() -> None:
    """Neither fits into what the network takes at once."""
    with postman() as server:
        lane = Lane(server.url, 20.0, width=2)

        offered = lane.offer([*mails(READERS[0], text="x" * 1_000_000), *mails(READERS[1])])
        received = lane.finish()
        lane.close()

    assert (offered, received) == ([None, None], [None, None])
    assert {len(mail.get_body(("plain",)).get_content().strip()) for _, mail in server.mails} == {1_000_000, 5}  # type: ignore[union-attr]


def test_of_an_order_s_mails_to_one_reader_only_the_first_goes_with_others() -> None:
    """A mail server may finish those that are sent together in any order."""
    queued = [
        ("paid", "O-1", None, "customer"),
        ("sold", "O-1", None, "seller"),
        ("shipped", "O-1", None, "customer"),
        ("other", "O-2", "C-1", "customer"),
        ("subscribed", None, "C-1", "customer"),
        ("cancelled", None, "C-1", "customer"),
        ("alarm", None, None, "operator"),
        ("alarm again", None, None, "operator"),
    ]

    going = first_of_each_order([a_queued_mail(*one) for one in queued])

    assert [mail.notification_id for mail in going] == [
        *("paid", "sold", "other", "subscribed"),
        *("alarm", "alarm again"),
    ]


def a_queued_mail(name: str, order: str | None, customer: str | None, audience: str) -> QueuedMail:
    order_id = OrderId(order) if order else None
    reader = customer, customer, "{}", 0, "kim@example.test", None, "ko", None
    return QueuedMail(name, name, "PaymentFailed", audience, "email", order_id, *reader)


def test_commands_go_in_one_packet_where_the_server_allows_it() -> None:
    """This server says nothing to MAIL and RCPT before it has read DATA."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b"220 hi\r\n")
            lines.readline()
            connection.sendall(b"250-hi\r\n250 PIPELINING\r\n")
            assert [lines.readline()[:4] for _ in range(3)] == [b"MAIL", b"RCPT", b"DATA"]
            connection.sendall(b"250 ok\r\n250 ok\r\n354 go on\r\n")
            assert b"".join(iter(lines.readline, b".\r\n"))
            connection.sendall(b"250 taken\r\n")

    thread = Thread(target=serve, daemon=True)
    thread.start()
    lane = Lane(f"smtp://127.0.0.1:{listener.getsockname()[1]}", 5.0)

    assert lane.offer(mails(*READERS[:1])) == [None]
    assert lane.finish() == [None]
    thread.join(60)
    listener.close()
    lane.close()


def test_idle_connections_are_closed_with_a_word() -> None:
    with postman() as server:
        lane = a_lane(server)
        lane.offer(mails(*READERS))
        lane.finish()

        lane.close_idle(time.monotonic())
        assert server.open == 5
        lane.close_idle(time.monotonic() + IDLE_CLOSE_S + 1)

        assert until(lambda: server.open, lambda count: count == 0) == 0
