"""The verdict of a run: compares accepted webhooks with the rows in the stores and the mails in the inbox. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from simulator.inbox import ReceivedMail
from simulator.plan import Life
from simulator.sender import Tally
from simulator.story import Row, SimulatedWebhook

UNFINISHED = ("queued", "sending")


@dataclass(frozen=True, slots=True)
class ExpectedRun:
    """The rows and mails that must exist once all accepted webhooks are processed.

    `mails` maps notification ids to their webhooks. `possible` and `applied` count all webhooks, since one that was
    answered with an error may have been accepted all the same: `possible` has the notification ids of their mails,
    `applied` their number by service and key, the most history rows that there may be. `readers` are the addresses of
    the run's orders.
    """

    rows: frozenset[Row]
    applied: Mapping[tuple[str, str], int]
    mails: Mapping[str, SimulatedWebhook]
    possible: frozenset[str]
    readers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Seen:
    """The findings of a poll: the number of times that each row exists, and the mails to the run's own addresses.

    `applied` is the number of history rows by (service, key), `messages` the notifier's status by notification id.
    """

    rows: Counter[Row] = field(default_factory=Counter)
    applied: Mapping[tuple[str, str], int] = field(default_factory=dict)
    mails: tuple[ReceivedMail, ...] = ()
    messages: Mapping[str, str] = field(default_factory=dict)

    def mails_of(self, expected: ExpectedRun) -> Counter[str]:
        """Return how often each expected mail has arrived, by notification id."""
        named = Counter(map(_name, self.mails))
        return Counter({name: named[name] for name in expected.mails if name in named})

    def is_complete(self, expected: ExpectedRun) -> bool:
        """Return whether all expected rows and mails were found; more of them may still arrive."""
        return expected.rows <= self.rows.keys() and len(self.mails_of(expected)) == len(expected.mails)

    def is_unfinished(self) -> bool:
        """Return whether a mail in `messages` is still queued or being sent."""
        return any(status in UNFINISHED for status in self.messages.values())


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a run. `lost`, `double`, `unknown` and `not_accepted` have a text for each finding.

    `sent` is the number of accepted webhooks, `duplicates` that of copies accepted again, `rows` that of expected rows
    that were found; `mails` are the expected mails that arrived. `answers` counts the gateway's answers by status.
    `unknown` are missing mails of which the notifier does not know whether they were sent.
    """

    sent: int
    duplicates: int
    rows: int
    mails: tuple[ReceivedMail, ...]
    lost: tuple[str, ...]
    double: tuple[str, ...]
    unknown: tuple[str, ...]
    not_accepted: tuple[str, ...]
    answers: Mapping[str, int]

    @property
    def good(self) -> bool:
        """True if nothing was lost, double or not accepted. Unknown mails do not matter: the system reports them."""
        return not (self.lost or self.double or self.not_accepted)

    def __str__(self) -> str:
        counts = f" (+{self.duplicates} duplicates)" if self.duplicates else ""
        counted = [f"sent {self.sent}{counts}", f"rows {self.rows}", f"mails {len(self.mails)}"]
        counted += [f"lost {len(self.lost)}", f"double {len(self.double)}"]
        counted += [f"unknown {len(self.unknown)}"] if self.unknown else []
        counted += [f"not accepted {len(self.not_accepted)}"] if self.not_accepted else []
        return " · ".join(counted)


def expected(lives: Collection[Life], accepted: Collection[SimulatedWebhook]) -> ExpectedRun:
    """Return what must exist: the rows of each accepted webhook, and its mails if its contact data was accepted too."""
    accepted_webhooks = [webhook for life in lives for webhook in life.webhooks if webhook in accepted]
    known = {webhook.order_id for webhook in accepted_webhooks if webhook.has_contact}
    return ExpectedRun(
        frozenset(row for webhook in accepted_webhooks for row in webhook.rows),
        Counter(
            (row.service, row.key)
            for life in lives
            for webhook in life.webhooks
            for row in webhook.rows + webhook.passes
        ),
        {mail: webhook for webhook in accepted_webhooks if webhook.order_id in known for mail in webhook.mails},
        frozenset(mail for life in lives for webhook in life.webhooks for mail in webhook.mails),
        frozenset(life.order.email for life in lives),
    )


def judge(wanted: ExpectedRun, seen: Seen, tally: Tally) -> Verdict:
    """Compare what must exist with what was found. A missing mail that is `unknown` to the notifier is not lost."""
    arrived = seen.mails_of(wanted)
    missing = {name: seen.messages.get(name, "missing") for name in wanted.mails if name not in arrived}
    unknown = [_mail(wanted.mails[name], status) for name, status in missing.items() if status == "unknown"]
    lost = [f"no row: {row.service} {row.key} {row.status}" for row in sorted(wanted.rows - seen.rows.keys(), key=str)]
    lost += [_mail(wanted.mails[name], status) for name, status in missing.items() if status != "unknown"]
    refused = {webhook: why for webhook, why in tally.refused.items() if webhook not in tally.accepted}
    return Verdict(
        sent=len(tally.accepted),
        duplicates=tally.duplicates,
        rows=len(wanted.rows & seen.rows.keys()),
        mails=tuple({mail.message_id: mail for mail in seen.mails if _name(mail) in arrived}.values()),
        lost=tuple(lost),
        double=(*_rows_too_many(wanted, seen), *_mails_too_many(wanted, seen)),
        unknown=tuple(unknown),
        not_accepted=tuple(f"{webhook.path} {webhook.order_id}: {why}" for webhook, why in refused.items()),
        answers=tally.answers,
    )


def _name(mail: ReceivedMail) -> str:
    """Return the notification id, which is the first part of the Message-ID."""
    return mail.message_id.split("@")[0]


def _mail(webhook: SimulatedWebhook, status: str) -> str:
    return f"no mail: {webhook.path} {webhook.order_id} is {status}"


def _rows_too_many(wanted: ExpectedRun, seen: Seen) -> list[str]:
    """Return a text for each row beyond one per key, and for each history row beyond the number of webhooks."""
    rows = Counter((row.service, row.key) for row in seen.rows.elements())
    counts = [(key, count, 1) for key, count in rows.items()]
    counts += [(key, count, wanted.applied.get(key, 1)) for key, count in seen.applied.items()]
    return [
        f"row: {service} {name} {count} times"
        for (service, name), count, expected_count in counts
        for _ in range(count - expected_count)
    ]


def _mails_too_many(wanted: ExpectedRun, seen: Seen) -> list[str]:
    """Return a text for each repeated mail, and for each mail that no webhook of the run asks for."""
    arrived = Counter((_name(mail), mail.recipient) for mail in seen.mails)
    arrived.subtract([mail for mail in arrived if mail[0] in wanted.possible])
    return [f"mail: {name} to {recipient}" for name, recipient in arrived.elements()]
