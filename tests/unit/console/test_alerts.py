"""When a message about alerts is due, and what it says."""

from hypothesis import given
from hypothesis import strategies as st

from console.alerts.domain import HOUR_US, LISTED, AlertMessage, StoredAlert, due, slack_payload, unusual_silence_us

INTERVAL = 600


def alert(subject: str, sent_at: int | None = None) -> StoredAlert:
    return StoredAlert(subject, f"{subject} is wrong", 2, 1, sent_at)


def test_new_alerts_are_told_together_and_not_again() -> None:
    message = due("dead_event", [alert("payment"), alert("refund")], [], None, 1000, INTERVAL)

    assert message is not None
    assert (message.state, message.title) == ("open", "2 services with dead events")
    assert (message.data()["count"], len(message.data()["alerts"])) == (4, 2)
    assert due("dead_event", [alert("payment", sent_at=1000)], [], 1000, 5000, INTERVAL) is None


def test_a_further_alert_waits_for_the_interval_and_is_told_with_those_that_are_open() -> None:
    opened = [alert("payment", sent_at=1000), alert("refund")]

    assert due("dead_event", opened, [], 1000, 1000 + INTERVAL - 1, INTERVAL) is None
    message = due("dead_event", opened, [], 1000, 1000 + INTERVAL, INTERVAL)
    assert message is not None
    assert "payment is wrong" in message.text()


def test_it_is_told_once_that_all_are_over() -> None:
    ended = [alert("payment", sent_at=1000)]

    message = due("dead_event", [], ended, 1000, 1001, INTERVAL)
    assert message is not None
    assert (message.state, message.title) == ("over", "over: no more services with dead events")
    assert due("dead_event", [alert("refund", sent_at=1000)], ended, 1000, 1001, INTERVAL) is None
    assert due("dead_event", [], [], 1000, 1001, INTERVAL) is None


def test_a_flood_is_one_message_that_says_how_many_more() -> None:
    message = AlertMessage("issue", "open", 1, tuple(alert(f"a{n}") for n in range(LISTED + 5)))

    assert message.text().endswith("- and 5 more")
    assert (message.data()["more"], message.data()["count"]) == (5, 2 * (LISTED + 5))


def test_silence_is_unusual_when_it_is_twice_the_longest_before() -> None:
    every_hour = [n * HOUR_US for n in range(10)]
    every_day = [n * 24 * HOUR_US for n in range(10)]

    assert unusual_silence_us(every_hour, 10 * HOUR_US + 7 * HOUR_US, 6 * HOUR_US) == 7 * HOUR_US
    assert unusual_silence_us(every_hour, 10 * HOUR_US + 5 * HOUR_US, 6 * HOUR_US) is None
    assert unusual_silence_us(every_day, 9 * 24 * HOUR_US + 30 * HOUR_US, 6 * HOUR_US) is None
    assert unusual_silence_us([0], 1000 * HOUR_US, 1) is None


@given(st.text())
def test_slack_reads_no_markup_in_what_strangers_sent(text: str) -> None:
    assert not set(slack_payload(text)["text"]) & set("<>")
