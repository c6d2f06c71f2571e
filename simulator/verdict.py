"""What became of a run, by what was accepted, what stands in the stores and what lies in the inbox. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from simulator.inbox import Mail
from simulator.plan import Life
from simulator.sender import Tally
from simulator.story import Row, Webhook

UNFINISHED = ("queued", "sending")


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be there once everything that was accepted has been handled.

    `possible` are the mails of the whole story: a webhook whose answer was lost may have been taken all the same.
    `applied` is how many webhooks the story tells of each service's key.
    """

    rows: frozenset[Row]
    applied: Mapping[tuple[str, str], int]
    mails: Mapping[str, Webhook]
    possible: frozenset[str]
    readers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Seen:
    """What is there: rows (each as often as it stands), history rows a key, our readers' mails, how messages stand."""

    rows: Counter[Row] = field(default_factory=Counter)
    applied: Mapping[tuple[str, str], int] = field(default_factory=dict)
    mails: tuple[Mail, ...] = ()
    messages: Mapping[str, str] = field(default_factory=dict)

    def mails_of(self, expected: Expected) -> Counter[str]:
        """How often each expected mail has arrived, by notification id."""
        named = Counter(map(_name, self.mails))
        return Counter({name: named[name] for name in expected.mails if name in named})

    def is_complete(self, expected: Expected) -> bool:
        return expected.rows <= self.rows.keys() and len(self.mails_of(expected)) == len(expected.mails)

    def is_unfinished(self) -> bool:
        """Whether the notifier still has a message of ours in hand."""
        return any(status in UNFINISHED for status in self.messages.values())


@dataclass(frozen=True, slots=True)
class Verdict:
    """`lost` and `double` name each thing that is missing or once too often; `unknown` are mails nobody can tell of."""

    sent: int
    duplicates: int
    rows: int
    mails: tuple[Mail, ...]
    lost: tuple[str, ...]
    double: tuple[str, ...]
    unknown: tuple[str, ...]
    not_accepted: tuple[str, ...]
    answers: Mapping[str, int]

    @property
    def good(self) -> bool:
        return not (self.lost or self.double or self.not_accepted)

    def __str__(self) -> str:
        again = f" (+{self.duplicates} duplicates)" if self.duplicates else ""
        counted = [f"sent {self.sent}{again}", f"rows {self.rows}", f"mails {len(self.mails)}"]
        counted += [f"lost {len(self.lost)}", f"double {len(self.double)}"]
        counted += [f"unknown {len(self.unknown)}"] if self.unknown else []
        counted += [f"not accepted {len(self.not_accepted)}"] if self.not_accepted else []
        return " · ".join(counted)


def expected(lives: Collection[Life], accepted: Collection[Webhook]) -> Expected:
    """A row for each webhook accepted; a mail where its order was accepted too, for else nobody knows the reader."""
    told = [webhook for life in lives for webhook in life.webhooks if webhook in accepted]
    known = {webhook.order_id for webhook in told if webhook.names_reader}
    return Expected(
        frozenset(row for webhook in told for row in webhook.rows),
        Counter((row.service, row.key) for life in lives for told in life.webhooks for row in told.rows + told.passes),
        {mail: webhook for webhook in told if webhook.order_id in known for mail in webhook.mails},
        frozenset(mail for life in lives for webhook in life.webhooks for mail in webhook.mails),
        frozenset(life.order.email for life in lives),
    )


def judge(wanted: Expected, seen: Seen, tally: Tally) -> Verdict:
    """Compare; a message the notifier itself reports as unknown is not lost, it is unknown."""
    arrived = seen.mails_of(wanted)
    missing = {name: seen.messages.get(name, "unheard of") for name in wanted.mails if name not in arrived}
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


def _name(mail: Mail) -> str:
    """Its notification's id."""
    return mail.message_id.split("@")[0]


def _mail(webhook: Webhook, status: str) -> str:
    return f"no mail: {webhook.path} {webhook.order_id} is {status}"


def _rows_too_many(wanted: Expected, seen: Seen) -> list[str]:
    """One row a key, and no more lines of history than the story tells webhooks of it."""
    rows = Counter((row.service, row.key) for row in seen.rows.elements())
    again = [(key, count, 1) for key, count in rows.items()]
    again += [(key, count, wanted.applied.get(key, 1)) for key, count in seen.applied.items()]
    return [
        f"row: {service} {name} {count} times" for (service, name), count, right in again for _ in range(count - right)
    ]


def _mails_too_many(wanted: Expected, seen: Seen) -> list[str]:
    """Also a mail that nothing in the story asks for is one too many for its reader."""
    arrived = Counter((_name(mail), mail.recipient) for mail in seen.mails)
    arrived.subtract([mail for mail in arrived if mail[0] in wanted.possible])
    return [f"mail: {name} to {recipient}" for name, recipient in arrived.elements()]
