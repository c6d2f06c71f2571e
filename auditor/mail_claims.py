"""Claims about mails: every domain event was mailed once to each recipient, and nothing else was. Pure."""

from collections.abc import Iterator

from auditor.evidence import AuditEvidence, Claim
from auditor.record_claims import Trace
from notifier.recipients import audiences, notification_id
from stream.events import DomainEvent, NotificationSent, OrderId, OrderWebhook

CHANNEL = "email"
UNFINISHED = ("queued", "sending")
WITHOUT_ERROR = {
    "waiting": "the recipient's address is unknown so far",
    "no_recipient": "the recipient's address never became known",
    "stale": "its domain event was older than MAIL_MAX_AGE",
}
NO_INBOX = "INBOX_URL is not set: which mails arrived was not checked"
ARRIVED = {True: "it arrived", False: "it did not arrive", None: "whether it arrived was not checked"}
NOT_SENT = ("failed", "waiting", "no_recipient", "stale")
ALERTS = "OperatorAlerts"
"""The type of the operator's alerts, which follow from no domain event."""


def queued(trace: Trace) -> Claim:
    """Check that every handled domain event has a message for each of its recipients, and every message its event.

    A seller counts as a recipient if the order has one, the operator if the operator's address is configured. Alerts to
    the operator need no event. A message that an operator sent again needs the event of the first message.
    """
    evidence = trace.evidence
    rows, wrong = evidence.stores["notifier"].tables["notifications"], list[str]()
    wanted = dict(_wanted(evidence))
    allowed = {name for event in _events(evidence) for name in _notification_ids(event)}
    wrong += [f"{message} was not queued" for name, message in wanted.items() if name not in rows]
    wrong += [
        f"message {name} ({row['event_type']}) has no domain event"
        for name, row in rows.items()
        if name not in allowed and row["event_type"] != ALERTS and row.get("again_of") not in allowed
    ]
    return Claim("MESSAGES", len(wanted), tuple(wrong))


def double(trace: Trace) -> Claim:
    """Check that no mail arrived twice, and that no message which was not sent (NOT_SENT) arrived.

    A mail without a message is unfinished. Checks nothing without an inbox.
    """
    mails, rows = trace.evidence.mails, trace.evidence.stores["notifier"].tables["notifications"]
    if mails is None:
        return Claim("DUPMAIL", 0, noted=(NO_INBOX,))
    wrong = [f"mail {name} ({_kind(rows, name)}) arrived {count} times" for name, count in mails.items() if count > 1]
    unknown = [f"mail {name} has no message" for name in mails if name not in rows]
    unsent = [
        f"mail {name} ({row['event_type']}) arrived, but its message is {row['status']}"
        for name, row in rows.items()
        if name in mails and row["status"] in NOT_SENT
    ]
    return Claim("DUPMAIL", mails.total(), tuple(wrong + unsent), unfinished=tuple(unknown))


def missing(trace: Trace) -> Claim:
    """Check that every message with the status `sent` has arrived and its NotificationSent was published.

    Queued messages are unfinished, and so is a missing NotificationSent while the notifier's outbox has unpublished
    messages. Messages that were not sent, or whose status is `unknown`, are noted. Arrival is not checked without an
    inbox.
    """
    evidence, wrong, unfinished, noted = trace.evidence, list[str](), list[str](), list[str]()
    rows = evidence.stores["notifier"].tables["notifications"]
    published = {entry.event_id for entry in evidence.entries if isinstance(entry.delivery.event, NotificationSent)}
    for name, row in rows.items():
        message, status = f"{row['event_type']} to the {row['audience']} of {row['order_id']} ({name})", row["status"]
        arrived = None if evidence.mails is None else name in evidence.mails
        if status == "sent" and arrived is False:
            wrong.append(f"{message} was sent and did not arrive")
        elif status == "sent" and name not in published:
            (unfinished if evidence.stores["notifier"].outbox else wrong).append(
                f"{message} was sent, but NotificationSent was not published"
            )
        elif status in UNFINISHED:
            unfinished.append(f"{message} is {status}")
        elif status == "unknown":
            noted.append(f"{message} is unknown; {ARRIVED[arrived]}")
        elif status in NOT_SENT:
            noted.append(f"{message} is {status}: {row['error'] or WITHOUT_ERROR.get(status, 'no reason stated')}")
    noted += [NO_INBOX] if evidence.mails is None else []
    return Claim("MISSMAIL", len(rows), tuple(wrong), tuple(unfinished), tuple(noted))


CLAIMS = (queued, double, missing)


def _events(evidence: AuditEvidence) -> Iterator[DomainEvent]:
    """Yield the domain events that the notifier has handled."""
    handled = evidence.stores["notifier"].handled
    for entry in evidence.entries:
        if isinstance(event := entry.delivery.event, DomainEvent) and entry.event_id in handled:
            yield event


def _wanted(evidence: AuditEvidence) -> Iterator[tuple[str, str]]:
    """Yield id and description of each message that must exist.

    None for the seller of an order without one, and none for an operator without an address.
    """
    with_seller = _orders_with_seller(evidence)
    for event in _events(evidence):
        for audience, name in zip(audiences(event), _notification_ids(event), strict=True):
            if audience == "customer" or (audience == "seller" and event.order_id in with_seller):
                yield name, f"{type(event).__name__} to the {audience} of {event.order_id}"
            elif audience == "operator" and evidence.operator:
                yield name, f"{type(event).__name__} to the operator"


def _notification_ids(event: DomainEvent) -> list[str]:
    return [notification_id(event, audience, CHANNEL) for audience in audiences(event)]


def _orders_with_seller(evidence: AuditEvidence) -> set[OrderId]:
    events = (entry.delivery.event for entry in evidence.entries)
    orders = [event.payload for event in events if isinstance(event, OrderWebhook)]
    without = {order.order_id for order in orders if order.seller_id is None and order.seller_email is None}
    return {order.order_id for order in orders} - without


def _kind(rows: object, name: str) -> str:
    return str(rows[name]["event_type"]) if isinstance(rows, dict) and name in rows else "unknown"
