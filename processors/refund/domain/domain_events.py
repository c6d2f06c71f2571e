"""The domain events that hold for an order's refunds, and those that a change makes new."""

from itertools import groupby

from processors.refund.domain.event_builders import EventKey, build_event, updates
from processors.refund.domain.refund import Refund
from processors.refund.domain.refunds import Refunds
from processors.refund.domain.statuses import EVENT_BY_STATUS
from stream.events import DomainEvent, RefundEvent, RefundMismatched, RefundWebhook


def new_events(before: Refunds, after: Refunds, cause: RefundWebhook | DomainEvent) -> tuple[DomainEvent, ...]:
    """Return the domain events that hold after a change and did not hold before.

    If columns of the order view changed, RefundUpdated is added unless one of these events surely never held before.
    An event that holds again keeps its id, so consumers skip it and would miss the new state that it carries.
    """
    known = event_keys(before)
    events = tuple(build_event(key, after, cause) for key in event_keys(after) if key not in known)
    carries_state = any(isinstance(event, RefundEvent) and _is_new(event, before, after, cause) for event in events)
    return events if carries_state else (*events, *updates(before, after, cause))


def _is_new(event: RefundEvent, before: Refunds, after: Refunds, cause: RefundWebhook | DomainEvent) -> bool:
    """Return whether an event surely never held before: the cause raised the rank of its refund's status."""
    was = before.refunds.get(event.refund_id, Refund()).registers.status.stamp
    now = after.refunds[event.refund_id].registers.status.stamp
    is_of_cause = isinstance(cause, RefundWebhook) and now.event_id == cause.envelope.event_id
    return is_of_cause and now.rank > was.rank


def event_keys(refunds: Refunds) -> tuple[EventKey, ...]:
    """Return the keys of the events that hold, sorted by refund id: RefundCompleted, RefundRejected, RefundMismatched.

    A refund that its payment reports too has neither of the first two, which the payment processor publishes; a release
    (`Refunds.releases`) has none, and no refund has two.
    """
    mismatches = refunds.mismatches
    keys: list[EventKey] = []
    for refund_id, refund in sorted(refunds.counted.items()):
        kind = EVENT_BY_STATUS.get(refund.status or "")
        if refund_id in mismatches:
            keys.append((RefundMismatched, (refunds.order_id, refund_id, mismatches[refund_id])))
        elif kind and not refund.registers.reported_by_payment.value:
            keys.append((kind, (refunds.order_id, refund_id, *_occurrence(refund))))
    return tuple(keys)


def _occurrence(refund: Refund) -> tuple[str, ...]:
    """Return how often the refund has reached its status, as the last part of a key; empty for the first time."""
    runs = [status for status, _ in groupby(end.status for end in sorted(refund.ends))]
    times = runs.count(refund.status or "")
    return (str(times),) if times > 1 else ()
