"""Parts of a replay run in processes of their own, report to their parent, and stay about one batch apart."""

import os
import signal
from threading import Event, Thread

import pytest

from stream.replay.fill import parallel
from stream.replay.fill.parallel import ProgressBarrier, ProgressCallback
from stream.replay.spec import ReplayImpossible


def test_each_part_reports_its_progress_to_the_parent() -> None:
    def work(part: int, barrier: ProgressBarrier, on_progress: ProgressCallback) -> None:
        on_progress({("topic", part): os.getpid()})

    reported: dict[tuple[str, int], int] = {}
    parallel.run(3, work, reported.update)

    assert {partition for _, partition in reported} == {0, 1, 2}
    assert len({*reported.values(), os.getpid()}) == 4  # each is a process of its own


def test_what_a_part_cannot_do_ends_all_parts() -> None:
    def work(part: int, barrier: ProgressBarrier, on_progress: ProgressCallback) -> None:
        if part == 1:
            raise ReplayImpossible("topic cannot be read")
        Event().wait()

    with pytest.raises(ReplayImpossible, match="topic cannot be read"):
        parallel.run(3, work, lambda _: None)


def test_a_part_that_is_killed_ends_all_parts() -> None:
    def work(part: int, barrier: ProgressBarrier, on_progress: ProgressCallback) -> None:
        if part == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        Event().wait()

    with pytest.raises(ReplayImpossible, match="exit code -9"):
        parallel.run(3, work, lambda _: None)


def test_a_part_waits_for_a_part_with_older_records_and_not_for_a_finished_one() -> None:
    barrier, entered = ProgressBarrier(2), Event()

    def ahead() -> None:
        barrier.enter(0, 300, 400)
        entered.set()

    behind_has_a_batch = Thread(target=lambda: barrier.enter(1, 100, 200))
    waiting = Thread(target=ahead)
    waiting.start()
    behind_has_a_batch.start()
    behind_has_a_batch.join()
    assert not entered.is_set()

    barrier.leave(1)
    waiting.join(10)
    assert entered.is_set()
