"""What a window says of lag and latency, from made outcomes."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import pytest

from bench.rig.open_loop import Post
from bench.rig.trial import OK, Outcome, Window

RATE, SECONDS = 50, 20


def steadily(_since: float) -> float:
    return 0.1


def at_once(_due: float, row: float) -> float | None:
    return row


def never(_due: float, _row: float) -> float | None:
    return None


def a_window(
    delay: Callable[[float], float] = steadily,
    status: int = OK,
    mail: Callable[[float, float], float | None] = at_once,
    ages: Mapping[str, float] = MappingProxyType({}),
) -> Window:
    """Webhooks at RATE from time 1000, each with a row `delay` seconds after it was due, and a mail."""
    outcomes = []
    for number in range(RATE * SECONDS):
        due = 1000 + number / RATE
        row = due + delay(due - 1000)
        post = Post(due, due + 0.005, status)
        outcomes.append(Outcome(post, wants_row=True, wants_mail=True, row=row, mail=mail(due, row)))
    return Window(RATE, SECONDS, outcomes, {"gateway": 1.0, "kafka": 3.0}, 0.0, len(outcomes), ages)


def test_a_side_that_keeps_up_is_flat() -> None:
    window = a_window()

    assert window.is_flat
    assert window.backlog_s("row") == pytest.approx((0.1, 0.1), abs=0.03)


def test_a_constant_backlog_is_flat() -> None:
    assert a_window(delay=lambda _: 3.0).is_flat


def test_a_backlog_that_grows_by_a_tenth_of_the_rate_is_not_flat() -> None:
    window = a_window(delay=lambda since: 0.2 + since / 9)

    assert not window.is_flat
    before, last = window.backlog_s("row")
    assert (last - before) / (SECONDS / 2) == pytest.approx(0.1, abs=0.02)


def test_mails_that_fall_behind_alone_are_not_flat() -> None:
    assert not a_window(mail=lambda due, row: row + (due - 1000) / 4).is_flat


@pytest.mark.parametrize(
    "window",
    [
        a_window(status=503),
        a_window(mail=lambda due, row: None if due == 1000 else row),
        a_window(ages={"console": 11.0}),
    ],
    ids=["not accepted", "a mail is missing", "a service is late"],
)
def test_what_is_refused_missing_or_late_is_not_flat(window: Window) -> None:
    assert not window.is_flat


def test_latency_counts_from_when_the_post_was_due() -> None:
    window = a_window(delay=lambda _: 0.25)

    assert window.latencies("row") == pytest.approx([250.0] * RATE * SECONDS)
    assert window.latencies("answer")[0] == pytest.approx(5.0)


def test_what_never_came_is_missing_and_has_no_latency() -> None:
    window = a_window(mail=never)

    assert window.missing == RATE * SECONDS
    assert window.latencies("mail") == []


def test_cpu_is_counted_per_webhook() -> None:
    window = a_window()

    assert window.cpu_ms("kafka") == pytest.approx(3.0)
    assert window.cpu_ms() == pytest.approx(4.0)
