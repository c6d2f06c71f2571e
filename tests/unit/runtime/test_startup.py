"""A service waits for what it needs, says what that is, and ends on what waiting cannot mend."""

from threading import Event, Thread

import pytest

from runtime.startup import NotYet, Startup, refuse


def test_it_waits_for_one_need_after_the_other_and_says_for_which() -> None:
    there, asked = Event(), Event()

    def need() -> None:
        if not there.is_set():
            asked.set()
            raise NotYet("Kafka at nowhere:1")

    starting = Startup([need, lambda: None])
    waiting = Thread(target=starting.wait, args=(Event(),))
    assert starting.problem() is not None, "it has not even begun"

    waiting.start()
    assert asked.wait(5)
    while starting.problem() != "waits for Kafka at nowhere:1":  # the test's own time limit ends what never comes
        pass
    there.set()
    waiting.join(10)

    assert not waiting.is_alive()
    assert starting.problem() is None


def test_it_stops_waiting_when_it_is_asked_to_stop() -> None:
    stop, tries = Event(), list[int]()

    def need() -> None:
        tries.append(1)
        stop.set()
        raise NotYet("Kafka")

    assert not Startup([need]).wait(stop)
    assert tries == [1]


def test_what_cannot_be_mended_ends_it_with_a_sentence() -> None:
    starting = Startup([lambda: refuse("the store refuses its credentials")])

    with pytest.raises(SystemExit, match="cannot start: the store refuses its credentials"):
        starting.wait(Event())
