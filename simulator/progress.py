"""How far a run has come, as bars on a terminal; in a pipe or a log file, silence until the verdict."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from simulator.verdict import Expected, Seen


class Bars:
    """Three: webhooks that are done with, rows, mails."""

    def __init__(self, progress: Progress, webhooks: int) -> None:
        self._progress = progress
        self._sent = progress.add_task("sent", total=webhooks)
        self._rows = progress.add_task("rows", total=None)
        self._mails = progress.add_task("mails", total=None)

    def sent_one(self) -> None:
        self._progress.advance(self._sent)

    def looked(self, wanted: Expected, seen: Seen) -> None:
        rows, mails = len(wanted.rows & seen.rows.keys()), len(seen.mails_of(wanted))
        self._progress.update(self._rows, total=len(wanted.rows), completed=rows)
        self._progress.update(self._mails, total=len(wanted.mails), completed=mails)


@contextmanager
def bars(webhooks: int) -> Iterator[Bars]:
    """Gone again when the run is over: the verdict says it all."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:>5}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Bars(progress, webhooks)
