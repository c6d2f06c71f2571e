"""Runs the parts of a replay in forked processes, which stay about one batch apart and end with their parent."""

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
"""A time later than that of any record."""

ProgressCallback = Callable[[Mapping[Partition, int]], None]
"""Called with the next offsets of the partitions that have been replayed."""


class ProgressBarrier:
    """Makes a part wait for the parts whose records are older, so that two parts differ by about a batch.

    The events that a service publishes may depend on the order in which it reads two partitions, and the live service
    read all partitions at about the same time.
    """

    def __init__(self, count: int) -> None:
        self._reached = FORK.RawArray("q", [-1] * count)
        self._changed = FORK.Condition()

    def enter(self, part: int, first_ms: int, last_ms: int) -> None:
        """Call before each batch. Return when each other part has left, or entered a batch that ends after its start.

        `first_ms` and `last_ms` are the times when the batch's first and last record were appended, in milliseconds
        since 1970. Once every part has entered or left, the part whose batch ends first does not wait, so there is no
        deadlock.
        """
        with self._changed:
            self._reached[part] = last_ms
            self._changed.notify_all()
            self._changed.wait_for(lambda: min(self._reached) >= min(first_ms, last_ms))

    def leave(self, part: int) -> None:
        """Mark a part as finished, so that no other part waits for it."""
        with self._changed:
            self._reached[part] = DONE_MS
            self._changed.notify_all()


def run(
    count: int, work: Callable[[int, ProgressBarrier, ProgressCallback], None], on_progress: ProgressCallback
) -> None:
    """Call `work` in one forked process for each part number below `count`; return when all have returned.

    `work` gets the part number, the barrier of all parts, and a callback that passes its progress on to `on_progress`
    in this process. No Kafka client may be open, because a fork does not copy its threads. Raises ReplayImpossible when
    a part fails or is killed; the other parts are killed then.
    """
    gc.collect()  # else a fork may destroy a client in a reference cycle without having its threads
    barrier, (child_end, parent_end) = ProgressBarrier(count), os.pipe()
    receivers: list[Connection] = []
    processes: list[ForkProcess] = []
    try:
        for part in range(count):
            receiver, sender = FORK.Pipe(duplex=False)
            process = FORK.Process(
                target=_part, args=(part, work, barrier, sender, (child_end, parent_end)), daemon=True
            )
            process.start()
            sender.close()
            processes.append(process)
            receivers.append(receiver)
        _follow(receivers, processes, on_progress)
    finally:
        for process in processes:
            process.kill()
            process.join()
        for end in (child_end, parent_end):
            os.close(end)


def _follow(receivers: list[Connection], processes: list[ForkProcess], on_progress: ProgressCallback) -> None:
    """Pass on the progress of the parts until all have finished. Raises ReplayImpossible if one fails or is killed."""
    running = dict(zip(receivers, processes, strict=True))
    while running:
        for receiver in _ready(running):
            try:
                message = receiver.recv()
            except EOFError:
                running[receiver].join()
                raise ReplayImpossible(_killed(running[receiver])) from None
            if message is None:
                del running[receiver]
            elif isinstance(message, str):
                raise ReplayImpossible(message)
            else:
                on_progress(message)


def _ready(receivers: Iterable[Connection]) -> list[Connection]:
    return [each for each in wait(list(receivers)) if isinstance(each, Connection)]


def _killed(process: ForkProcess) -> str:
    return f"a process of the replay ended with exit code {process.exitcode}; run the same command again to resume it"


def _part(
    part: int,
    work: Callable[[int, ProgressBarrier, ProgressCallback], None],
    barrier: ProgressBarrier,
    sender: Connection,
    pipe: tuple[int, int],
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets the terminal's Ctrl-C too, and ends the parts
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    child_end, parent_end = pipe
    os.close(parent_end)
    Thread(target=_end_with_parent, args=(child_end,), daemon=True).start()
    message = None
    try:
        work(part, barrier, sender.send)
        barrier.leave(part)
    except ReplayImpossible as impossible:
        message = str(impossible)
    except (exc.SQLAlchemyError, KafkaException) as failure:
        cause = getattr(failure, "orig", None) or failure
        message = f"the replay stopped: {cause}; run the same command again to resume it"
    with suppress(BrokenPipeError):
        sender.send(message)
    sys.stderr.flush()


def _end_with_parent(child_end: int) -> None:
    """End this process as soon as the parent ends: only the parent has the other end of the pipe."""
    os.read(child_end, 1)
    os._exit(1)
