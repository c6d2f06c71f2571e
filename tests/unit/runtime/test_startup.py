"""A service waits for its needs and names the missing one; it exits if waiting cannot help."""

from threading import Event, Thread

import pytest

from runtime.startup import NeedUnmet, Startup, abort_start


def test_it_waits_for_one_need_after_the_other_and_says_for_which() -> None:
    is_met, attempted = Event(), Event()

    def need() -> None:
        if not is_met.is_set():
            attempted.set()
            raise NeedUnmet("Kafka at nowhere:1")

    starting = Startup([need, lambda: None])
    waiting = Thread(target=starting.wait, args=(Event(),))
    assert starting.problem() is not None, "it has not even begun"

    waiting.start()
    assert attempted.wait(60)
    while starting.problem() != "waits for Kafka at nowhere:1":  # the test's own time limit ends what never comes
        pass
    is_met.set()
    waiting.join(60)

    assert not waiting.is_alive()
    assert starting.problem() is None


def test_it_stops_waiting_when_it_is_asked_to_stop() -> None:
    stop, tries = Event(), list[int]()

    def need() -> None:
        tries.append(1)
        stop.set()
        raise NeedUnmet("Kafka")

    assert not Startup([need]).wait(stop)
    assert tries == [1]


def test_a_refusal_exits_with_a_sentence() -> None:
    starting = Startup([lambda: abort_start("the store refuses its credentials")])

    with pytest.raises(SystemExit, match="cannot start: the store refuses its credentials"):
        starting.wait(Event())
