"""Claims about records: accepted webhooks have one, and each service has handled each of its records once. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from hashlib import sha256

from auditor.evidence import AuditEvidence, Claim, LogRecord, Store
from stream.events import DeadRecord, Outcome, QuarantinedWebhook, Webhook, topics
from stream.kafka.position import Position

READS = {service.name: frozenset(topic.name for topic in service.reads) for service in topics.SERVICES}
WITHOUT_OUTCOMES = tuple(service.name for service in topics.SERVICES if not service.publishes_outcomes)
REPEATS = ("duplicate", "conflict")
"""The outcomes of a record whose event has an earlier record."""


class Trace:
    """The evidence, with indexes of its records for the claims."""

    def __init__(self, evidence: AuditEvidence) -> None:
        self.evidence = evidence
        self.by_position: dict[Position, LogRecord] = {entry.position: entry for entry in evidence.entries}

    @cached_property
    def bodies(self) -> dict[str, list[LogRecord]]:
        """The records of webhooks as received, translated or quarantined, by the hex SHA-256 of their bodies."""
        found: dict[str, list[LogRecord]] = defaultdict(list)
        for entry in self.evidence.entries:
            event = entry.delivery.event
            if isinstance(event, Webhook) and event.envelope.verification != "confirmed":
                found[sha256(event.envelope.raw).hexdigest()].append(entry)
            elif isinstance(event, QuarantinedWebhook):
                found[sha256(event.raw).hexdigest()].append(entry)
        return found

    @cached_property
    def outcomes(self) -> dict[str, dict[Position, set[str]]]:
        """The outcomes that services published, by service and the position of the record they are about."""
        published: dict[str, dict[Position, set[str]]] = defaultdict(lambda: defaultdict(set))
        for entry in self.evidence.entries:
            if isinstance(outcome := entry.delivery.event, Outcome):
                position = Position(outcome.topic, outcome.partition, outcome.offset)
                published[outcome.service][position].add(outcome.outcome)
        return published

    @cached_property
    def dead(self) -> set[tuple[str, str]]:
        """The (service, event id) of every dead letter."""
        letters = (entry.delivery.event for entry in self.evidence.entries)
        return {(letter.service, letter.event_id) for letter in letters if isinstance(letter, DeadRecord)}

    def read_by(self, service: str) -> Iterator[LogRecord]:
        """Yield the records of the audited period that this service reads."""
        for entry in self.evidence.entries:
            if entry.delivery.topic in READS[service] and self.evidence.period.contains(entry.appended_at):
                yield entry

    def is_committed(self, service: str, entry: LogRecord) -> bool:
        """Return whether the service has committed an offset above this record."""
        topic, partition, offset = entry.position
        return offset < self.evidence.committed.get(service, {}).get((topic, partition), 0)


def lost(trace: Trace) -> Claim:
    """Check that every accepted webhook has a record. Checks nothing if no list of them was given."""
    accepted = trace.evidence.accepted
    if accepted is None:
        return Claim("LOST", 0, noted=("no list of accepted webhooks was given (--accepted)",))
    wrong = [
        f"the webhook to {webhook.path} of order {webhook.order_id} has no record"
        for webhook in accepted
        if webhook.digest not in trace.bodies
    ]
    return Claim("LOST", len(accepted), tuple(wrong))


def vanished(trace: Trace) -> Claim:
    """Check that each service has handled every record it reads, and that dead ones have a dead letter or an outcome.

    A record that is retrying or above the committed offset is unfinished; one that is waiting or dead is noted.
    """
    checked, wrong, unfinished, noted = 0, list[str](), list[str](), list[str]()
    for service, store in trace.evidence.stores.items():
        for entry in trace.read_by(service):
            checked += 1
            _, outcome = store.handled.get(entry.event_id, (None, None))
            record = f"{service}: {_describe(entry)}"
            if outcome is None:
                (wrong if trace.is_committed(service, entry) else unfinished).append(f"{record} was not handled")
            elif outcome == "retrying":
                unfinished.append(f"{record} is retrying: {store.failed.get(entry.event_id, {}).get('error')}")
            elif outcome == "dead":
                (noted if _is_explained(trace, service, store, entry) else wrong).append(f"{record} is dead")
            elif outcome == "waiting":
                noted.append(f"{record} is waiting")
    return Claim("VANISHED", checked, tuple(wrong), tuple(unfinished), tuple(noted))


def outcomes(trace: Trace) -> Claim:
    """Check that the outcome of every handled record was published, and agrees with the service's inbox.

    Services that publish no outcomes (WITHOUT_OUTCOMES) are left out. A difference above the committed offset is
    unfinished.
    """
    checked, wrong, unfinished = 0, list[str](), list[str]()
    for service, store in trace.evidence.stores.items():
        if service in WITHOUT_OUTCOMES:
            continue
        for entry in trace.read_by(service):
            if entry.event_id not in store.handled:
                continue
            checked += 1
            first, outcome = store.handled[entry.event_id]
            published = trace.outcomes[service].get(entry.position, set())
            if (outcome in published) if entry.position == first else published & {*REPEATS, outcome}:
                continue
            difference = (
                f"{service}: {_describe(entry)} is {outcome}, published: {', '.join(sorted(published)) or 'nothing'}"
            )
            (wrong if trace.is_committed(service, entry) else unfinished).append(difference)
    return Claim("OUTCOME", checked, tuple(wrong), tuple(unfinished))


def once(trace: Trace) -> Claim:
    """Check that every inbox row has the position of a record of its own event."""
    checked, wrong = 0, list[str]()
    for service, store in trace.evidence.stores.items():
        for event_id, (position, _) in store.handled.items():
            checked += 1
            entry = trace.by_position.get(position)
            # A redriven unreadable record has two inbox rows: by the id of its position and by its own id.
            if entry is None or (entry.is_readable and entry.event_id != event_id and event_id not in store.failed):
                wrong.append(f"{service}: {event_id} was handled, but {position} holds no such record")
    return Claim("DUPROW", checked, tuple(wrong))


def outbox(trace: Trace) -> Claim:
    """Check that every message of an outbox was published. A service with unpublished ones is unfinished, not wrong."""
    unpublished = [
        f"{service}: {store.outbox} unpublished" for service, store in trace.evidence.stores.items() if store.outbox
    ]
    return Claim("OUTBOX", len(trace.evidence.stores), unfinished=tuple(unpublished))


def confirmed(trace: Trace) -> Claim:
    """Check that the event of every confirmed verification is on a topic.

    Unanswered verifications are unfinished, and so is a missing event while the confirmer's outbox has unpublished
    messages; verifications with an error are noted. Checks nothing without the confirmer's store.
    """
    events = {entry.event_id for entry in trace.evidence.entries}
    store = trace.evidence.stores.get("confirmer", Store())
    verification_requests: Mapping[str, Mapping[str, object]] = store.tables.get("verification_requests", {})
    missing = [
        f"verification {name} was confirmed as {row['event_id']}, which is on no topic"
        for name, row in verification_requests.items()
        if row["status"] == "confirmed" and row["event_id"] not in events
    ]
    asking = [
        f"verification {name} is unanswered" for name, row in verification_requests.items() if row["status"] == "asking"
    ]
    ended = [
        f"verification {name} is {row['status']}: {row['error']}"
        for name, row in verification_requests.items()
        if row["error"]
    ]
    wrong, pending = ((), missing) if store.outbox else (missing, ())
    return Claim("CONFIRMED", len(verification_requests), tuple(wrong), (*pending, *asking), tuple(ended))


CLAIMS = (lost, vanished, outcomes, once, outbox, confirmed)


def _is_explained(trace: Trace, service: str, store: Store, entry: LogRecord) -> bool:
    """Return whether a dead record has a dead letter, or an outcome (waited too long, or contradicted)."""
    overdue = "dead" in trace.outcomes[service].get(entry.position, set()) and entry.event_id not in store.failed
    return overdue or (service, entry.event_id) in trace.dead


def _describe(entry: LogRecord) -> str:
    topic, partition, offset = entry.position
    kind = type(entry.delivery.event).__name__
    return f"{kind} {entry.event_id} ({topic} {partition} {offset})"
