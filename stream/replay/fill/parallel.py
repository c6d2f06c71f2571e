"""Runs the parts of a replay in forked processes, which keep pace with each other and end with their parent."""

import gc
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from threading import Thread

from confluent_kafka import KafkaException
from sqlalchemy import exc

from stream.kafka.position import Partition
from stream.replay.spec import ReplayImpossible

FORK = multiprocessing.get_context("fork")
DONE_MS = 2**62
"""Later than any record was appended."""

Moved = Callable[[Mapping[Partition, int]], None]
"""Called with the offsets up to which partitions have been replayed."""


class SharedPace:
    """Keeps a part that is ahead waiting until no other part still has only older records in hand.

    Two parts then differ by about a batch. What a service publishes on the way may depend on the order in which it
    reads two partitions, and the live service read all of them at about the same time.
    """

    def __init__(self, count: int) -> None:
        self._reached = FORK.RawArray("q", [-1] * count)
        self._changed = FORK.Condition()

    def enter(self, part: int, first_ms: int, last_ms: int) -> None:
        """Wait for the turn of a batch whose records were appended between these two times.

        The part with the oldest batch never waits, so parts cannot wait for each other in a circle.
        """
        with self._changed:
            self._reached[part] = last_ms
            self._changed.notify_all()
            self._changed.wait_for(lambda: min(self._reached) >= min(first_ms, last_ms))

    def leave(self, part: int) -> None:
        """Let nobody wait for a part that has nothing left to read."""
        with self._changed:
            self._reached[part] = DONE_MS
            self._changed.notify_all()


def run(count: int, work: Callable[[int, SharedPace, Moved], None], moved: Moved) -> None:
    """Do `work` for each part number below `count` in a process of its own; their progress is passed to `moved`.

    The processes are forked, so that they start at once with what this one knows. No Kafka client may be open: its
    threads do not come along. Raises Impossible when a part fails or is killed; the other parts are ended then.
    """
    gc.collect()  # a client that is only referenced by a cycle would be destroyed in a process without its threads
    pace, (alive, ours) = SharedPace(count), os.pipe()
    receivers: list[Connection] = []
    processes: list[ForkProcess] = []
    try:
        for part in range(count):
            receiver, sender = FORK.Pipe(duplex=False)
            process = FORK.Process(target=_part, args=(part, work, pace, sender, (alive, ours)), daemon=True)
            process.start()
            sender.close()
            processes.append(process)
            receivers.append(receiver)
        _follow(receivers, processes, moved)
    finally:
        for process in processes:
            process.kill()
            process.join()
        for end in (alive, ours):
            os.close(end)


def _follow(receivers: list[Connection], processes: list[ForkProcess], moved: Moved) -> None:
    """Pass on what the parts report, until all of them have said that they are done."""
    running = dict(zip(receivers, processes, strict=True))
    while running:
        for receiver in _ready(running):
            try:
                said = receiver.recv()
            except EOFError:
                running[receiver].join()
                raise ReplayImpossible(_killed(running[receiver])) from None
            if said is None:
                del running[receiver]
            elif isinstance(said, str):
                raise ReplayImpossible(said)
            else:
                moved(said)


def _ready(receivers: Iterable[Connection]) -> list[Connection]:
    return [each for each in wait(list(receivers)) if isinstance(each, Connection)]


def _killed(process: ForkProcess) -> str:
    return f"a process of the replay ended with exit code {process.exitcode}; the same command goes on from here"


def _part(
    part: int,
    work: Callable[[int, SharedPace, Moved], None],
    pace: SharedPace,
    sender: Connection,
    life: tuple[int, int],
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal's Ctrl-C the parent is told too
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    alive, parents = life
    os.close(parents)
    Thread(target=_end_with_parent, args=(alive,), daemon=True).start()
    said = None
    try:
        work(part, pace, sender.send)
        pace.leave(part)
    except ReplayImpossible as sentence:
        said = str(sentence)
    except (exc.SQLAlchemyError, KafkaException) as failure:
        cause = getattr(failure, "orig", None) or failure
        said = f"the replay stopped: {cause}; the same command goes on from here"
    with suppress(BrokenPipeError):
        sender.send(said)
    sys.stderr.flush()


def _end_with_parent(alive: int) -> None:
    """Wait for the end of the parent, which alone has the pipe's other end, and end at once."""
    os.read(alive, 1)
    os._exit(1)
