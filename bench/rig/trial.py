"""One measured window of a running side: webhooks at a rate, the result and times of each, and the CPU they took.

The webhooks are those of the simulator's orders: told, paid, delivered, given back, one second apart.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Protocol

import uvloop

from bench import cost
from bench.rig import sink
from bench.rig.open_loop import Post, Poster
from bench.rig.system import Sink
from simulator.plan import Plan, lives
from simulator.story import Webhook

OK = 200
WARM_S = 15.0
QUIET_S = 12.0
"""A side that stores nothing for so long will store no more of what is missing."""
SETTLE_S = 90.0

RowKey = tuple[str, str]
"""A kind of webhook (payment, shipping, refund) and an order."""


class Side(Protocol):
    """A system to measure: it takes these webhooks, writes rows and sends mails to the sink."""

    sink: Sink

    @property
    def pids(self) -> dict[str, int]: ...
    @property
    def port(self) -> int: ...
    def request(self, webhook: Webhook) -> bytes: ...
    def mail_id(self, webhook: Webhook) -> str | None: ...
    def row_key(self, webhook: Webhook) -> RowKey | None: ...
    def commits(self, run: str) -> dict[RowKey, float]:
        """When the row of each webhook of a run was committed, in seconds since 1970."""
        ...

    def ages(self) -> dict[str, float]:
        """By service, the age of the oldest record it has not processed."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """One webhook: its post, and when its row was committed and its mail stored (None: never)."""

    post: Post
    wants_row: bool
    wants_mail: bool
    row: float | None
    mail: float | None


@dataclass(frozen=True, slots=True)
class Window:
    """`cpu` in seconds by process, `others` in cores that strangers used, `mails` counts those stored in it."""

    rate: float
    seconds: float
    outcomes: Sequence[Outcome]
    cpu: Mapping[str, float]
    others: float
    mails: int
    ages: Mapping[str, float]

    @property
    def began(self) -> float:
        return self.outcomes[0].post.due

    @property
    def answers(self) -> Counter[int]:
        """Return the number of answers by status; 0 is a broken or silent connection."""
        return Counter(one.post.status for one in self.outcomes)

    @property
    def missing(self) -> int:
        taken = [one for one in self.outcomes if one.post.status == OK]
        return sum((one.wants_row and one.row is None) + (one.wants_mail and one.mail is None) for one in taken)

    def cpu_ms(self, *names: str) -> float:
        """CPU per webhook, of these processes or all."""
        return sum(self.cpu[name] for name in names or self.cpu) / len(self.outcomes) * 1000

    def latencies(self, what: str) -> list[float]:
        """Milliseconds from due post to answer, row or mail, sorted; what never came is left out."""
        ends = {
            "answer": [(one.post.due, one.post.answered) for one in self.outcomes],
            "row": [(one.post.due, one.row) for one in self.outcomes if one.row is not None],
            "mail": [(one.post.due, one.mail) for one in self.outcomes if one.mail is not None],
        }[what]
        return sorted((end - due) * 1000 for due, end in ends if end is not None)

    def backlog_s(self, what: str) -> tuple[float, float]:
        """The mean backlog of rows or mails in the second and in the last quarter, in seconds of the rate."""
        wanted = [one for one in self.outcomes if (one.wants_row if what == "row" else one.wants_mail)]
        ends = [(one.post.due, one.row if what == "row" else one.mail) for one in wanted]
        means = []
        for quarter in (1, 3):
            start = self.began + self.seconds * quarter / 4
            looks = [start + self.seconds / 4 * step / 20 for step in range(20)]
            waiting = [sum(due <= at and (end is None or end > at) for due, end in ends) for at in looks]
            means.append(sum(waiting) / len(waiting) / (self.rate * len(wanted) / len(self.outcomes)))
        return means[0], means[1]

    @property
    def is_flat(self) -> bool:
        """Return whether all was accepted and stored, and no backlog grew by over 2 % of the rate or reached 10 s."""
        backlogs = [self.backlog_s(what) for what in ("row", "mail")]
        grown = any(last > 1 and (last - before) / (self.seconds / 2) > 0.02 for before, last in backlogs)  # noqa: PLR2004
        late = max((*self.ages.values(), *(last for _, last in backlogs))) > 10  # noqa: PLR2004 - seconds
        return not (grown or late or self.missing or self.answers.keys() - {OK})


def measure(side: Side, rate: float, seconds: float, warm_s: float = WARM_S) -> Window:
    """Post at `rate` for `warm_s` and then `seconds`, which are the window; wait for what is still to come."""
    run, webhooks = _webhooks(rate, warm_s + seconds)
    requests = [side.request(webhook) for webhook in webhooks]
    watched = {**side.pids, "(sink)": side.sink.pid}
    posts, before, after = uvloop.run(_play(side.port, requests, rate, (warm_s, seconds), watched))
    ages = side.ages()
    cpu = {name: after[0][name] - before[0][name] for name in watched}
    others = after[1] - before[1] - sum(cpu.values()) - (after[2] - before[2])
    del cpu["(sink)"]
    outcomes = _outcomes(side, run, webhooks, posts)[round(rate * warm_s) :]
    began = outcomes[0].post.due
    mails = sum(began <= mail.at < began + seconds for mail in sink.stored(side.sink.folder))
    return Window(rate, seconds, outcomes, cpu, others / seconds, mails, ages)


Look = tuple[dict[str, float], float, float]
"""CPU seconds by process, of the machine, and of ourselves."""


async def _play(
    port: int, requests: Sequence[bytes], rate: float, spans: tuple[float, float], watched: Mapping[str, int]
) -> tuple[list[Post], Look, Look]:
    playing = asyncio.create_task(Poster(port).play(requests, rate))
    await asyncio.sleep(spans[0])
    before = _look(watched)
    await asyncio.sleep(spans[1])
    after = _look(watched)
    return await playing, before, after


def _look(watched: Mapping[str, int]) -> Look:
    return cost.trees(watched), cost.machine(), time.process_time()


def _webhooks(rate: float, seconds: float) -> tuple[str, list[Webhook]]:
    """A run's name and its webhooks in the order of posting: of as many orders at a time as are posted in a second."""
    now = datetime.now(UTC)  # noqa: TID251 - the orders are of today
    run = f"{int(now.timestamp() * 1000):x}"[-8:]
    count = round(rate * seconds)
    told = [life.webhooks for life in lives(Plan(run, now, orders=count // 4 + 1))]
    size = max(1, round(rate))
    blocks = [zip(*told[start : start + size], strict=True) for start in range(0, len(told), size)]
    return run, [webhook for block in blocks for webhook in chain.from_iterable(block)][:count]


def _outcomes(side: Side, run: str, webhooks: Sequence[Webhook], posts: Sequence[Post]) -> list[Outcome]:
    """Wait until all rows and mails are there, or nothing has come for QUIET_S."""
    until, moved, count = time.monotonic() + SETTLE_S, time.monotonic(), -1
    accepted = [post.status == OK for post in posts]
    mail_ids = {side.mail_id(hook) for hook, taken in zip(webhooks, accepted, strict=True) if taken} - {None}
    row_keys = {side.row_key(hook) for hook, taken in zip(webhooks, accepted, strict=True) if taken} - {None}
    while True:
        mails = {mail.message_id.partition("@")[0]: mail.at for mail in sink.stored(side.sink.folder)}
        rows = side.commits(run) if mail_ids <= mails.keys() or time.monotonic() - moved > QUIET_S else {}
        found = len(mails) + len(rows)
        moved, count = (time.monotonic(), found) if found != count else (moved, count)
        if (mail_ids <= mails.keys() and row_keys <= rows.keys()) or min(moved + QUIET_S, until) < time.monotonic():
            break
        time.sleep(0.5)
    rows = side.commits(run)
    return [
        Outcome(
            post,
            wants_row=side.row_key(hook) is not None,
            wants_mail=side.mail_id(hook) is not None,
            row=rows.get(key) if (key := side.row_key(hook)) else None,
            mail=mails.get(name) if (name := side.mail_id(hook)) else None,
        )
        for hook, post in zip(webhooks, posts, strict=True)
    ]
