"""How many mails are offered to a mail server: one at a time while it answers none, and more and more from then on."""

import pytest

from notifier.sending.server_health import PROBES, ServerHealth
from notifier.sending.smtp import NoReply, NotBegun, NotTaken, is_answer, is_by_server

MOST = 16


def asked(server: ServerHealth, at: float, answered: int = 0, failed: int = 0, took: float = 0.0) -> float:
    """Offer mails at a time, of which some are answered; return the time at which the results are recorded."""
    with server.asking(at):
        pass
    server.record([True] * answered + [False] * failed, at + took)
    return at + took


def test_a_server_that_works_gets_as_many_mails_as_its_lane_takes() -> None:
    server = ServerHealth()

    asked(server, 0.0, answered=1, failed=2)

    assert server.capacity(0.0, MOST) == MOST
    assert not server.is_failing
    assert server.silent_s(100.0) == 0


def test_a_batch_without_an_answer_pauses_a_server_that_has_just_answered_for_the_shortest_wait() -> None:
    server, now = ServerHealth(), 0.0
    for _ in range(5):
        now = asked(server, now, failed=MOST) + PROBES.longest_s
    assert not server.has_answered

    asked(server, now, answered=1)
    assert server.has_answered
    assert server.silent_s(now + 60) == 0
    asked(server, now + 60, failed=2)

    assert server.capacity(now + 60 + PROBES.first_s, MOST) == 1
    assert not server.has_answered


def test_a_server_that_answers_no_mail_gets_one_after_each_wait_and_never_waits_longer_than_the_longest() -> None:
    server, now, waits = ServerHealth(), 0.0, []

    for _ in range(8):
        asked(server, now, failed=2)
        waits.append(next(wait for wait in range(1, 60) if server.capacity(now + wait, MOST)))
        assert server.capacity(now + waits[-1], MOST) == 1
        now += waits[-1]

    assert waits == [1, 2, 4, 8, 10, 10, 10, 10]
    assert max(waits) == PROBES.longest_s


def test_a_server_that_is_back_is_not_flooded() -> None:
    server = ServerHealth()
    now = asked(server, 0.0, failed=MOST) + 1

    offered = []
    for _ in range(6):
        offered.append(server.capacity(now, MOST))
        asked(server, now, answered=offered[-1])

    assert offered == [1, 2, 4, 8, 16, 16]


def test_silence_counts_from_the_beginning_of_the_first_failure_until_an_answer() -> None:
    server = ServerHealth()

    asked(server, 100.0, failed=1, took=10.0)
    assert server.silent_s(115.0) == 15
    asked(server, 120.0, failed=1, took=10.0)
    assert server.silent_s(131.0) == 31
    asked(server, 140.0, answered=1)

    assert server.silent_s(140.0) == 0


def test_silence_counts_while_the_first_mail_still_waits_for_a_reply_and_from_the_last_reply_on() -> None:
    server = ServerHealth()

    with server.asking(100.0):
        assert server.silent_s(116.0) == 16
        server.record_reply(117.0)
        assert server.silent_s(120.0) == 3

    assert server.silent_s(200.0) == 0


def test_nothing_is_silent_while_no_mail_waits() -> None:
    server = ServerHealth()
    asked(server, 0.0, failed=1)

    server.record_idle()
    assert server.silent_s(1000.0) == 0
    asked(server, 2000.0, failed=1, took=1.0)

    assert server.silent_s(2001.0) == 1


@pytest.mark.parametrize(
    ("command", "code", "by_server"),
    [
        ("RCPT", 421, False),
        ("dot", 421, False),
        ("RCPT", 503, True),
        ("MAIL", 550, True),
        ("RCPT", 450, False),
        ("RCPT", 451, False),
        ("RCPT", 452, False),
        ("RCPT", 550, False),
        ("dot", 452, False),
        ("dot", 554, False),
    ],
)
def test_a_reply_about_one_mail_says_nothing_about_the_server(command: str, code: int, *, by_server: bool) -> None:
    assert is_by_server(command, code) == by_server


def test_a_refusal_of_one_mail_is_an_answer_and_a_broken_connection_is_none() -> None:
    assert is_answer(None)
    assert is_answer(NotTaken("450 come back later", final=False))
    assert not any(map(is_answer, (NotBegun("refused"), NoReply("gone"), NotTaken("421", final=False, by_server=True))))
