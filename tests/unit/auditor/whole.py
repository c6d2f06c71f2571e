"""Evidence of a small system without any error: an order is paid, delivered and refunded, an invoice is credited."""

from collections import Counter
from hashlib import sha256

from auditor.evidence import Accepted, AuditEvidence, LogRecord, Store
from auditor.models.by_service import models
from auditor.record_claims import READS, WITHOUT_OUTCOMES
from auditor.stores import TABLES
from notifier.recipients import audiences
from processors.invoice import domain as invoices
from processors.payment import domain as payments
from processors.refund import domain as refunds
from processors.shipping import domain as shipping
from stream.events import DomainEvent, EventId, NotificationSent, OrderId, Outcome, Record, Webhook, ids, topics
from stream.kafka.delivery import Delivery, identity
from stream.kafka.position import Position
from tests.builders import NOON, a_payment, a_refund, a_scan, an_invoice, an_order
from tests.working_sets import apply_to_payment, apply_to_refunds

SERVICES = [service.name for service in topics.SERVICES]

ORDER, PAID, AGAIN = an_order(amount=58000, currency="KRW"), a_payment(name="p"), a_payment(name="p")
DELIVERED = a_scan("delivered", carrier="CJ", carrier_code="cj", tracking_number="1")
GIVEN_BACK, COMPLETE = a_refund(), an_invoice(customer_id="C-1", cash_amount=1000)
DEAD = b"no record"

TOPIC_OF = {record: topic for topic in topics.ALL for record in topic.records}


def events() -> list[DomainEvent]:
    """Return the domain events that the processors publish for the webhooks above."""
    _, _, paid = apply_to_payment(payments.Payment(OrderId("1")), PAID)
    _, _, delivered = shipping.apply(shipping.Shipment("cj:1"), DELIVERED)
    _, _, given_back = apply_to_refunds(refunds.Refunds(OrderId("1")), GIVEN_BACK)
    _, _, credited = invoices.apply(invoices.Invoice("I-1"), None, COMPLETE)
    return [*paid, *delivered, *given_back, *credited]


def whole() -> AuditEvidence:
    """Return evidence for which every claim of the auditor holds."""
    log = Topics()
    for event in (ORDER, PAID, AGAIN, DELIVERED, GIVEN_BACK, COMPLETE, *events()):
        log.append(TOPIC_OF[type(event)].name, event)
    published = events()
    messages = {
        ids.notification_id(domain_event.event_id, audience, "email"): domain_event
        for domain_event in published
        for audience in audiences(domain_event)
        if audience == "customer"
    }
    for name, domain_event in messages.items():
        log.append(topics.NOTIFICATIONS.name, _sent(name, domain_event))
    handled = {service: log.handled(service) for service in SERVICES}
    for service in SERVICES:
        if service not in WITHOUT_OUTCOMES:
            log.append_outcomes(service, handled[service])
    handled["console"] = log.handled("console")
    stores = {service: _store(service, log, handled[service], messages) for service in SERVICES}
    sent = (ORDER, PAID, DELIVERED, GIVEN_BACK, COMPLETE)
    accepted = tuple(
        Accepted(
            one.envelope.path,
            sha256(one.envelope.raw).hexdigest(),
            one.payload.order_id if one is PAID else None,
            58000 if one is PAID else None,
        )
        for one in sent
    )
    ends = dict(log.ends)
    return AuditEvidence(dict.fromkeys(SERVICES, ends), stores, tuple(log.entries), Counter(messages.keys()), accepted)


class Topics:
    """The records of all topics, each of one partition."""

    def __init__(self) -> None:
        self.entries: list[LogRecord] = []
        self.ends: Counter[tuple[str, int]] = Counter()

    def append(self, topic: str, event: Record) -> None:
        event_id, digest = identity(event)
        delivery = Delivery(event, event_id, digest, topic, 0, self.ends[topic, 0], None, None)
        self.entries.append(LogRecord(delivery, NOON // 1000))
        self.ends[topic, 0] += 1

    def handled(self, service: str) -> dict[str, tuple[Position, str]]:
        """Return the inbox of a service that has read everything: (position, outcome) of each event's first record."""
        own = [entry for entry in self.entries if entry.delivery.topic in READS[service]]
        return {entry.event_id: (entry.position, "processed") for entry in reversed(own)}

    def append_outcomes(self, service: str, inbox: dict[str, tuple[Position, str]]) -> None:
        """Append an outcome of each record that the service read: `duplicate` if it is not the one in the inbox."""
        for entry in [one for one in self.entries if one.delivery.topic in READS[service]]:
            outcome = "processed" if inbox[entry.event_id][0] == entry.position else "duplicate"
            self.append(topics.OUTCOMES.name, _outcome(service, entry, outcome))


def _store(
    service: str, log: Topics, inbox: dict[str, tuple[Position, str]], messages: dict[str, DomainEvent]
) -> Store:
    positions = {position for position, _ in inbox.values()}
    tables: dict[str, dict[str, dict[str, object]]] = {name: {} for name in TABLES[service]}
    if service in models("optional"):
        events = [entry.delivery.event for entry in log.entries if entry.position in positions]
        must = models("optional")[service]([event for event in events if isinstance(event, Record)])
        tables |= {name: {key: dict(row) for key, row in rows.items()} for name, rows in must.tables.items()}
        tables["history"] = {event_id: {"outcome": "processed"} for event_id in must.history}
    if service == "notifier":
        tables["notifications"] = {
            name: {
                "event_id": domain_event.event_id,
                "event_type": type(domain_event).__name__,
                "audience": "customer",
                "order_id": domain_event.order_id,
                "status": "sent",
                "error": None,
            }
            for name, domain_event in messages.items()
        }
    return Store(inbox, 0, {}, tables)


def _outcome(service: str, entry: LogRecord, outcome: str) -> Outcome:
    topic, partition, offset = entry.position
    return Outcome(
        event_id=EventId(entry.event_id),
        service=service,
        topic=topic,
        partition=partition,
        offset=offset,
        outcome=outcome,  # type: ignore[arg-type]
        attempt=1,
        error=None,
        at=NOON,
    )


def _sent(name: str, domain_event: DomainEvent) -> NotificationSent:
    return NotificationSent(
        notification_id=name,
        event_id=domain_event.event_id,
        event_type=type(domain_event).__name__,
        audience="customer",
        channel="email",
        order_id=domain_event.order_id,
        customer_id=None,
        locale="ko",
        message_id=f"<{name}@example.test>",
        sent_at=NOON,
    )


def event_id(webhook: Webhook) -> str:
    return webhook.envelope.event_id
