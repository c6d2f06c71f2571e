"""Whether people were told every fact once, and nothing else. Pure."""

from collections.abc import Iterator

from auditor.evidence import Claim, Evidence
from auditor.tracing import Trace
from notifier.recipients import audiences, message_id
from stream.events import DomainEvent, NotificationSent, OrderWebhook

CHANNEL = "email"
UNDER_WAY = ("queued", "sending")
WITHOUT_ERROR = {
    "waiting": "its reader's address is not known yet",
    "no_recipient": "its reader's address never came",
    "stale": "its fact was older than MAIL_MAX_AGE",
}
NO_INBOX = "INBOX_URL is not set: which mails arrived was not checked"
ARRIVED = {True: "it arrived", False: "it did not arrive", None: "whether it arrived was not checked"}
NEVER = ("failed", "waiting", "no_recipient", "stale")
ALARMS = "Alarms"
"""What tells the operator of troubles follows from no fact."""


def queued(trace: Trace) -> Claim:
    """Each fact has one message for each of its readers, and no message is of something else."""
    evidence = trace.evidence
    rows, wrong = evidence.stores["notifier"].tables["notifications"], list[str]()
    wanted = dict(_wanted(evidence))
    allowed = {name for fact in _facts(evidence) for name in _names(fact)}
    wrong += [f"{what} has no message" for name, what in wanted.items() if name not in rows]
    wrong += [
        f"message {name} ({row['fact_type']}) follows from no fact"
        for name, row in rows.items()
        if name not in allowed and row["fact_type"] != ALARMS
    ]
    return Claim("MESSAGES", len(wanted), tuple(wrong))


def double(trace: Trace) -> Claim:
    """No mail is there twice, and none that nobody decided to send."""
    mails, rows = trace.evidence.mails, trace.evidence.stores["notifier"].tables["notifications"]
    if mails is None:
        return Claim("DUPMAIL", 0, noted=(NO_INBOX,))
    wrong = [f"mail {name} ({_kind(rows, name)}) came {count} times" for name, count in mails.items() if count > 1]
    strange = [f"mail {name} is nobody's message" for name in mails if name not in rows]
    unsent = [
        f"mail {name} ({row['fact_type']}) came, and its message is {row['status']}"
        for name, row in rows.items()
        if name in mails and row["status"] in NEVER
    ]
    return Claim("DUPMAIL", mails.total(), tuple(wrong + unsent), unfinished=tuple(strange))


def missing(trace: Trace) -> Claim:
    """Every message that counts as sent has arrived; those nobody can tell of are named."""
    evidence, wrong, unfinished, noted = trace.evidence, list[str](), list[str](), list[str]()
    rows = evidence.stores["notifier"].tables["notifications"]
    told = {entry.event_id for entry in evidence.entries if isinstance(entry.delivery.event, NotificationSent)}
    for name, row in rows.items():
        what, status = f"{row['fact_type']} to the {row['audience']} of {row['order_id']} ({name})", row["status"]
        arrived = None if evidence.mails is None else name in evidence.mails
        if status == "sent" and arrived is False:
            wrong.append(f"{what} was sent and did not arrive")
        elif status == "sent" and name not in told:
            (unfinished if evidence.stores["notifier"].outbox else wrong).append(f"{what} was sent and not told of")
        elif status in UNDER_WAY:
            unfinished.append(f"{what} is {status}")
        elif status == "unknown":
            noted.append(f"{what} is unknown; {ARRIVED[arrived]}")
        elif status in NEVER:
            noted.append(f"{what} is {status}: {row['error'] or WITHOUT_ERROR.get(status, 'nobody said why')}")
    noted += [NO_INBOX] if evidence.mails is None else []
    return Claim("MISSMAIL", len(rows), tuple(wrong), tuple(unfinished), tuple(noted))


CLAIMS = (queued, double, missing)


def _facts(evidence: Evidence) -> Iterator[DomainEvent]:
    """What the notifier has handled."""
    handled = evidence.stores["notifier"].handled
    for entry in evidence.entries:
        if isinstance(fact := entry.delivery.event, DomainEvent) and entry.event_id in handled:
            yield fact


def _wanted(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """The messages that must be there. An order that names no seller has nobody to tell on that side."""
    sold = _orders_with_seller(evidence)
    for fact in _facts(evidence):
        for audience, name in zip(audiences(fact), _names(fact), strict=True):
            if audience == "customer" or (audience == "seller" and fact.order_id in sold):
                yield name, f"{type(fact).__name__} to the {audience} of {fact.order_id}"
            elif audience == "operator" and evidence.operator:
                yield name, f"{type(fact).__name__} to the operator"


def _names(fact: DomainEvent) -> list[str]:
    return [message_id(fact, audience, CHANNEL) for audience in audiences(fact)]


def _orders_with_seller(evidence: Evidence) -> set[str]:
    told = (entry.delivery.event for entry in evidence.entries)
    notices = [event.notice for event in told if isinstance(event, OrderWebhook)]
    without = {one.order_id for one in notices if one.seller_id is None and one.seller_email is None}
    return {one.order_id for one in notices} - without


def _kind(rows: object, name: str) -> str:
    return str(rows[name]["fact_type"]) if isinstance(rows, dict) and name in rows else "unheard of"
