"""Progress bars of a run on a terminal. Nothing is printed to a pipe or a log file."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from simulator.verdict import ExpectedRun, Seen


class Bars:
    """Three progress bars: webhooks posted, rows found, mails found."""

    def __init__(self, progress: Progress, webhooks: int) -> None:
        self._progress = progress
        self._sent = progress.add_task("sent", total=webhooks)
        self._rows = progress.add_task("rows", total=None)
        self._mails = progress.add_task("mails", total=None)

    def advance_sent(self) -> None:
        self._progress.advance(self._sent)

    def update(self, wanted: ExpectedRun, seen: Seen) -> None:
        rows, mails = len(wanted.rows & seen.rows.keys()), len(seen.mails_of(wanted))
        self._progress.update(self._rows, total=len(wanted.rows), completed=rows)
        self._progress.update(self._mails, total=len(wanted.mails), completed=mails)


@contextmanager
def bars(webhooks: int) -> Iterator[Bars]:
    """Show the bars on standard error during the block, if that is a terminal. `webhooks` is the number of posts."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:>5}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Bars(progress, webhooks)
