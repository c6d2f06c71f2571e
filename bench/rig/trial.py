"""Measures a window of a running side: webhooks at a fixed rate, their results and times, and the CPU used.

The webhooks are those of the simulator's orders: ordered, paid, delivered, refunded, one second apart.
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
from simulator.story import SimulatedWebhook

OK = 200
WARM_S = 15.0
QUIET_S = 12.0
"""Seconds without a new row or mail after which missing ones are no longer expected."""
SETTLE_S = 90.0

RowKey = tuple[str, str]
"""A kind of webhook (payment, shipping, refund) and an order."""


class Side(Protocol):
    """A system to measure: it accepts webhooks, writes rows and sends mails to the sink.

    `pids` are the processes whose CPU counts, by name; `port` is the gateway's. `request` returns a webhook as an HTTP
    request. `mail_id` is the first part of the Message-ID of the webhook's mail, `row_key` the key of its row in
    `commits`; both return None for a webhook that makes none.
    """

    sink: Sink

    @property
    def pids(self) -> dict[str, int]: ...
    @property
    def port(self) -> int: ...
    def request(self, webhook: SimulatedWebhook) -> bytes: ...
    def mail_id(self, webhook: SimulatedWebhook) -> str | None: ...
    def row_key(self, webhook: SimulatedWebhook) -> RowKey | None: ...
    def commits(self, run: str) -> dict[RowKey, float]:
        """Return when the rows of a run's orders were committed, in seconds since 1970; a missing row is left out."""
        ...

    def ages(self) -> dict[str, float]:
        """Return the age in seconds of the oldest unprocessed record, by service; empty if the system reports none."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one webhook: its post, and when its row was committed and its mail stored, in seconds since 1970.

    `row` and `mail` are None if that never happened, or if the webhook makes none (`wants_row`, `wants_mail`).
    """

    post: Post
    wants_row: bool
    wants_mail: bool
    row: float | None
    mail: float | None


@dataclass(frozen=True, slots=True)
class Window:
    """A measured window: webhooks a second, its length in seconds, and the result of each webhook posted in it.

    `cpu` is in seconds by process, `others` in cores used by other processes of the machine. `mails` is the number of
    mails stored during the window, `ages` the seconds of the oldest unprocessed record at its end, by service.
    """

    rate: float
    seconds: float
    outcomes: Sequence[Outcome]
    cpu: Mapping[str, float]
    others: float
    mails: int
    ages: Mapping[str, float]

    @property
    def began(self) -> float:
        """The time of the first post, in seconds since 1970."""
        return self.outcomes[0].post.due

    @property
    def answers(self) -> Counter[int]:
        """The number of answers by status; 0 is a broken or silent connection."""
        return Counter(outcome.post.status for outcome in self.outcomes)

    @property
    def missing(self) -> int:
        """The number of rows and mails of accepted webhooks that were never stored."""
        accepted = [outcome for outcome in self.outcomes if outcome.post.status == OK]
        rows = sum(outcome.wants_row and outcome.row is None for outcome in accepted)
        return rows + sum(outcome.wants_mail and outcome.mail is None for outcome in accepted)

    def cpu_ms(self, *names: str) -> float:
        """Return the milliseconds of CPU per webhook that these processes, or without names all, used together."""
        return sum(self.cpu[name] for name in names or self.cpu) / len(self.outcomes) * 1000

    def latencies(self, what: str) -> list[float]:
        """Return the sorted milliseconds from due post to `answer`, `row` or `mail`, without missing ones."""
        ends = {
            "answer": [(outcome.post.due, outcome.post.answered) for outcome in self.outcomes],
            "row": [(outcome.post.due, outcome.row) for outcome in self.outcomes if outcome.row is not None],
            "mail": [(outcome.post.due, outcome.mail) for outcome in self.outcomes if outcome.mail is not None],
        }[what]
        return sorted((end - due) * 1000 for due, end in ends if end is not None)

    def backlog_s(self, what: str) -> tuple[float, float]:
        """Return the mean backlog in the second and in the last quarter of the window, in seconds of posting.

        `what` is `row` or `mail`. A backlog of 1 s is as many missing rows or mails as posts make in a second.
        """
        wanted = [outcome for outcome in self.outcomes if (outcome.wants_row if what == "row" else outcome.wants_mail)]
        ends = [(outcome.post.due, outcome.row if what == "row" else outcome.mail) for outcome in wanted]
        means = []
        for quarter in (1, 3):
            start = self.began + self.seconds * quarter / 4
            times = [start + self.seconds / 4 * step / 20 for step in range(20)]
            waiting = [sum(due <= at and (end is None or end > at) for due, end in ends) for at in times]
            means.append(sum(waiting) / len(waiting) / (self.rate * len(wanted) / len(self.outcomes)))
        return means[0], means[1]

    @property
    def is_flat(self) -> bool:
        """True if all was accepted and stored, and no backlog grew by over 2 % of the rate or exceeded 10 s."""
        backlogs = [self.backlog_s(what) for what in ("row", "mail")]
        grown = any(last > 1 and (last - before) / (self.seconds / 2) > 0.02 for before, last in backlogs)  # noqa: PLR2004
        late = max((*self.ages.values(), *(last for _, last in backlogs))) > 10  # noqa: PLR2004 - seconds
        return not (grown or late or self.missing or self.answers.keys() - {OK})


def measure(side: Side, rate: float, seconds: float, warm_s: float = WARM_S) -> Window:
    """Post at `rate` for `warm_s` and then for the window of `seconds`; wait for the rows and mails still missing."""
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


Sample = tuple[dict[str, float], float, float]
"""CPU seconds by process, of the machine, and of this process."""


async def _play(
    port: int, requests: Sequence[bytes], rate: float, spans: tuple[float, float], watched: Mapping[str, int]
) -> tuple[list[Post], Sample, Sample]:
    playing = asyncio.create_task(Poster(port).play(requests, rate))
    await asyncio.sleep(spans[0])
    before = _sample(watched)
    await asyncio.sleep(spans[1])
    after = _sample(watched)
    return await playing, before, after


def _sample(watched: Mapping[str, int]) -> Sample:
    return cost.trees(watched), cost.machine(), time.process_time()


def _webhooks(rate: float, seconds: float) -> tuple[str, list[SimulatedWebhook]]:
    """Return the name of a new run, and its webhooks in the order of posting, one second between those of an order."""
    now = datetime.now(UTC)  # noqa: TID251 - the orders are of today
    run = f"{int(now.timestamp() * 1000):x}"[-8:]
    count = round(rate * seconds)
    by_order = [life.webhooks for life in lives(Plan(run, now, orders=count // 4 + 1))]
    size = max(1, round(rate))
    blocks = [zip(*by_order[start : start + size], strict=True) for start in range(0, len(by_order), size)]
    return run, [webhook for block in blocks for webhook in chain.from_iterable(block)][:count]


def _outcomes(side: Side, run: str, webhooks: Sequence[SimulatedWebhook], posts: Sequence[Post]) -> list[Outcome]:
    """Return the result of each webhook, once all rows and mails of accepted ones are stored.

    Wait no longer when none has been stored for QUIET_S, or after SETTLE_S.
    """
    until, changed, count = time.monotonic() + SETTLE_S, time.monotonic(), -1
    accepted = [post.status == OK for post in posts]
    mail_ids = {side.mail_id(hook) for hook, accepted_ in zip(webhooks, accepted, strict=True) if accepted_} - {None}
    row_keys = {side.row_key(hook) for hook, accepted_ in zip(webhooks, accepted, strict=True) if accepted_} - {None}
    while True:
        mails = {mail.message_id.partition("@")[0]: mail.at for mail in sink.stored(side.sink.folder)}
        rows = side.commits(run) if mail_ids <= mails.keys() or time.monotonic() - changed > QUIET_S else {}
        found = len(mails) + len(rows)
        changed, count = (time.monotonic(), found) if found != count else (changed, count)
        if (mail_ids <= mails.keys() and row_keys <= rows.keys()) or min(changed + QUIET_S, until) < time.monotonic():
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
