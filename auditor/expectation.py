"""Computes the expected rows and domain events of each service with a model, from the events it has handled. Pure."""

from auditor.evidence import AuditEvidence, Store
from auditor.models.by_service import models
from auditor.models.expected import ExpectedStore
from auditor.record_claims import Trace
from stream.events import Record

HANDLED = ("processed", "late", "waiting")
"""The outcomes of events that are part of a service's state."""


def expected(trace: Trace, service: str) -> ExpectedStore:
    """Return the rows and domain events that must follow from the events that the service's inbox counts as handled.

    Each event counts once, by its first record; an event whose record is not in the evidence is left out. Raises
    KeyError for a service without a store or a model.
    """
    store = trace.evidence.stores[service]
    positions = sorted(position for name, (position, outcome) in store.handled.items() if _counts(store, name, outcome))
    entries = (trace.by_position[position] for position in positions if position in trace.by_position)
    events: list[Record] = [entry.delivery.event for entry in entries if isinstance(entry.delivery.event, Record)]
    return models(trace.evidence.orders)[service](events)


def modelled(evidence: AuditEvidence) -> list[str]:
    """Return the services with a model whose stores are part of the evidence."""
    return [service for service in models(evidence.orders) if service in evidence.stores]


def _counts(store: Store, event_id: str, outcome: str) -> bool:
    """Return whether an event is part of the state. One dead after waiting too long is; one that failed is not."""
    return outcome in HANDLED or (outcome == "dead" and event_id not in store.failed)
