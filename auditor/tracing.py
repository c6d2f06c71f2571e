"""Whether everything that was accepted is there, and was handled, once, by all whom it concerns. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from hashlib import sha256

from auditor.evidence import Claim, Entry, Evidence, Place, Store
from stream.events import DeadRecord, Outcome, QuarantinedWebhook, Webhook, topics

READS = {service: frozenset(topic.name for topic in read) for service, read in topics.READ_BY.items()}
SILENT = ("console",)
"""It watches, and tells nobody what became of what it sees."""
REPEATS = ("duplicate", "conflict")


class Trace:
    """The records by what they are, as the claims below ask for them."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.by_place: dict[Place, Entry] = {entry.place: entry for entry in evidence.entries}

    @cached_property
    def bodies(self) -> dict[str, list[Entry]]:
        """The records of each body, by its SHA-256."""
        found: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.evidence.entries:
            event = entry.delivery.event
            if isinstance(event, Webhook) and event.envelope.verification != "confirmed":
                found[sha256(event.envelope.raw).hexdigest()].append(entry)
            elif isinstance(event, QuarantinedWebhook):
                found[sha256(event.raw).hexdigest()].append(entry)
        return found

    @cached_property
    def outcomes(self) -> dict[str, dict[Place, set[str]]]:
        """What each service said became of each record."""
        said: dict[str, dict[Place, set[str]]] = defaultdict(lambda: defaultdict(set))
        for entry in self.evidence.entries:
            if isinstance(told := entry.delivery.event, Outcome):
                said[told.service][told.topic, told.partition, told.offset].add(told.outcome)
        return said

    @cached_property
    def dead(self) -> set[tuple[str, str]]:
        """Of which services the dead letters of which events are there."""
        letters = (entry.delivery.event for entry in self.evidence.entries)
        return {(letter.service, letter.event_id) for letter in letters if isinstance(letter, DeadRecord)}

    def read_by(self, service: str) -> Iterator[Entry]:
        """The records this service has to read, of the time that is looked at."""
        for entry in self.evidence.entries:
            if entry.delivery.topic in READS[service] and self.evidence.period.holds(entry.appended_at):
                yield entry

    def is_committed(self, service: str, entry: Entry) -> bool:
        """Whether the service has said that it is done with this record."""
        topic, partition, offset = entry.place
        return offset < self.evidence.committed.get(service, {}).get((topic, partition), 0)


def lost(trace: Trace) -> Claim:
    """Every webhook that was answered 2xx has its record."""
    accepted = trace.evidence.accepted
    if accepted is None:
        return Claim("LOST", 0, noted=("nobody kept a list of what was answered 2xx (--accepted)",))
    wrong = [f"{one.path} of {one.order_id}: no record" for one in accepted if one.digest not in trace.bodies]
    return Claim("LOST", len(accepted), tuple(wrong))


def vanished(trace: Trace) -> Claim:
    """Every record ends as processed, waiting, or abandoned with its reason, at each service that reads it."""
    checked, wrong, unfinished, noted = 0, list[str](), list[str](), list[str]()
    for service, store in trace.evidence.stores.items():
        for entry in trace.read_by(service):
            checked += 1
            _, outcome = store.handled.get(entry.event_id, (None, None))
            what = f"{service}: {_name(entry)}"
            if outcome is None:
                (wrong if trace.is_committed(service, entry) else unfinished).append(f"{what} was not handled")
            elif outcome == "retrying":
                unfinished.append(f"{what} fails: {store.parked.get(entry.event_id, {}).get('error')}")
            elif outcome == "abandoned":
                (noted if _is_explained(trace, service, store, entry) else wrong).append(f"{what} is abandoned")
            elif outcome == "waiting":
                noted.append(f"{what} waits")
    return Claim("VANISHED", checked, tuple(wrong), tuple(unfinished), tuple(noted))


def outcomes(trace: Trace) -> Claim:
    """What became of every record was told, and agrees with what the service remembers."""
    checked, wrong, unfinished = 0, list[str](), list[str]()
    for service, store in trace.evidence.stores.items():
        if service in SILENT:
            continue
        for entry in trace.read_by(service):
            if entry.event_id not in store.handled:
                continue
            checked += 1
            first, outcome = store.handled[entry.event_id]
            said = trace.outcomes[service].get(entry.place, set())
            if (outcome in said) if entry.place == first else said & {*REPEATS, outcome}:
                continue
            told = f"{service}: {_name(entry)} is {outcome}, told is {', '.join(sorted(said)) or 'nothing'}"
            (wrong if trace.is_committed(service, entry) else unfinished).append(told)
    return Claim("OUTCOME", checked, tuple(wrong), tuple(unfinished))


def once(trace: Trace) -> Claim:
    """What a service remembers of an event is of one of its records, and each was written to the history once."""
    checked, wrong = 0, list[str]()
    for service, store in trace.evidence.stores.items():
        for event_id, (place, _) in store.handled.items():
            checked += 1
            entry = trace.by_place.get(place)
            # An unreadable record that was redriven is remembered by the place's id and by its own.
            if entry is None or (entry.is_readable and entry.event_id != event_id and event_id not in store.parked):
                wrong.append(f"{service}: {event_id} was handled, and no such record stands at {place}")
    return Claim("DUPROW", checked, tuple(wrong))


def outbox(trace: Trace) -> Claim:
    """Nothing that was decided is still untold."""
    left = [f"{service}: {store.outbox} untold" for service, store in trace.evidence.stores.items() if store.outbox]
    return Claim("OUTBOX", len(trace.evidence.stores), unfinished=tuple(left))


def confirmed(trace: Trace) -> Claim:
    """Every question that was answered has become the event that the answer tells of."""
    events = {entry.event_id for entry in trace.evidence.entries}
    store = trace.evidence.stores.get("confirmer", Store())
    questions: Mapping[str, Mapping[str, object]] = store.tables.get("questions", {})
    missing = [
        f"{name} became {row['event_id']}, which is not there"
        for name, row in questions.items()
        if row["status"] == "confirmed" and row["event_id"] not in events
    ]
    asking = [f"{name} is still asked" for name, row in questions.items() if row["status"] == "asking"]
    ended = [f"{name} is {row['status']}: {row['error']}" for name, row in questions.items() if row["error"]]
    wrong, under_way = ((), missing) if store.outbox else (missing, ())
    return Claim("CONFIRMED", len(questions), tuple(wrong), (*under_way, *asking), tuple(ended))


CLAIMS = (lost, vanished, outcomes, once, outbox, confirmed)


def _is_explained(trace: Trace, service: str, store: Store, entry: Entry) -> bool:
    """By its dead letter; what waited too long, and what its provider denied, by what was told of it."""
    overdue = "abandoned" in trace.outcomes[service].get(entry.place, set()) and entry.event_id not in store.parked
    return overdue or (service, entry.event_id) in trace.dead


def _name(entry: Entry) -> str:
    topic, partition, offset = entry.place
    kind = type(entry.delivery.event).__name__
    return f"{kind} {entry.event_id} ({topic} {partition} {offset})"
