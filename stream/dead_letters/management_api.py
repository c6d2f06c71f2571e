"""The HTTP API for failed events: list, show, redrive, retry, retry for the last time, and dismiss.

Every service with a store has it on its management listener. All requests are idempotent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine

from runtime.logging import log
from runtime.management.openapi import Operation, described
from runtime.management.parameters import malformed
from runtime.management.refusals import refused_while_store_is_away
from runtime.management.routes import RequestRefused, Routes
from stream.avro.codec import Codec
from stream.dead_letters import actions, event_view, filters, operations, record_view, selection
from stream.dead_letters.record_view import key_text
from stream.dead_letters.refusals import refused_while_registry_is_away, retry_refusal
from stream.dead_letters.selection import EventFilter
from stream.events import provider_ids
from stream.events.text.redaction import masked_text
from stream.state import retry_policy
from stream.state.retry_policy import MAX_RETRIES
from stream.store import inbox, retrying

OPEN = ("retrying", "dead")

Verb = Callable[[Connection, Mapping[str, object]], object]
"""Answers a request, given a transaction that is committed afterwards, and the request's query parameters or JSON."""


@dataclass(frozen=True, slots=True)
class ManagementApi:
    """The API for the failed events in the store of one service.

    All verbs raise RequestRefused (400) for malformed fields. Their handlers also raise it (503) when the store fails,
    or a remote schema registry does.
    """

    service: str
    store: Engine
    codec: Codec

    def routes(self) -> Routes:
        """Return the handlers by method and path."""
        return {
            ("GET", "/dead"): self._handler(self.list, operations.LIST),
            ("GET", "/dead/show"): self._handler(self.show, operations.SHOW),
            ("POST", "/dead/redrive"): self._handler(self.redrive, operations.REDRIVE),
            ("POST", "/dead/last-retry"): self._handler(self.retry_last, operations.RETRY_LAST),
            ("POST", "/dead/dismiss"): self._handler(self.dismiss, operations.DISMISS),
            ("GET", "/retry"): self._handler(self.show_outcome, operations.SHOW_OUTCOME),
            ("POST", "/retry"): self._handler(self.retry, operations.RETRY),
        }

    def list(self, tx: Connection, fields: Mapping[str, object]) -> object:
        """Return at most `limit` selected `events`, the latest failure first, and the `counts` of all by status.

        Without a status filter, dismissed events are left out of the list. Events that waited too long are in neither.
        """
        selected, most = self._resolve(tx, filters.parse(fields, besides=["limit"])), filters.limit(fields.get("limit"))
        if selected and not selected.statuses:
            selected = replace(selected, statuses=OPEN)
        rows = selection.select(tx, selected, most) if selected else []
        events = [event_view.summary(self.codec, row) for row in rows]
        return {"service": self.service, "events": events, "counts": retrying.counts(tx)}

    def show(self, tx: Connection, fields: Mapping[str, object]) -> object:
        """Return one failed event with its masked record, or the record's bytes in hex if it cannot be decoded.

        Raises RequestRefused (404) when no event with this id has failed.
        """
        event_id = filters.event_id(fields.get("id"))
        rows = selection.select(tx, EventFilter(ids=(event_id,)), 1)
        if not rows:
            raise RequestRefused(404, "not_failed", f"the {self.service} has no failed event {event_id}")
        return {
            "service": self.service,
            **event_view.summary(self.codec, rows[0]),
            **record_view.content(self.codec, rows[0]["value"]),
        }

    def redrive(self, tx: Connection, fields: Mapping[str, object]) -> object:
        """Make the selected dead events retrying again, with 0 attempts; with `dryRun` only count them.

        Return the numbers of selected events that are dead (`matched`) and that were changed (`redriven`; 0 with
        `dryRun`).
        """
        selected, dry = self._selection(tx, fields)
        matched = selection.count(tx, "dead", selected) if selected else 0
        redriven = actions.redrive(tx, selected) if selected and not dry else 0
        if redriven:
            log.info("dead.redriven", count=redriven)
        return {"service": self.service, "matched": matched, "redriven": redriven}

    def retry_last(self, tx: Connection, fields: Mapping[str, object]) -> object:
        """Give the selected retrying events one last retry, due now; with `dryRun` only count them.

        Return the numbers of selected events that are retrying (`matched`) and that were changed (`lastRetries`; 0 with
        `dryRun`).
        """
        selected, dry = self._selection(tx, fields)
        matched = selection.count(tx, "retrying", selected) if selected else 0
        retried = actions.retry_last(tx, selected) if selected and not dry else 0
        if retried:
            log.warning("dead.last_retries", count=retried)
        return {"service": self.service, "matched": matched, "lastRetries": retried}

    def dismiss(self, tx: Connection, fields: Mapping[str, object]) -> object:
        """Dismiss the selected dead events and store the reason; with `dryRun` only count them.

        Events that waited too long are selected only by their ids. Return the number of selected events that can be
        dismissed (`matched`), and of those changed (`dismissed`): 0 with `dryRun`.
        """
        reason = filters.reason(fields.get("because"))
        selected, dry = self._selection(tx, {name: value for name, value in fields.items() if name != "because"})
        matched = selection.count(tx, "dead", selected) + selection.count_waited(tx, selected) if selected else 0
        dismissed = actions.dismiss(tx, selected, reason) if selected and not dry else []
        for event_id in dismissed:
            log.warning("dead.dismissed", id=event_id, cause=masked_text(reason))
        return {"service": self.service, "matched": matched, "dismissed": len(dismissed)}

    def show_outcome(self, tx: Connection, fields: Mapping[str, object]) -> object:
        """Return the outcome of an event in this service; of a failed one also the attempts, last error and next retry.

        A dismissed event has the outcome `dead`. Raises RequestRefused (404) when the service has not received the
        event.
        """
        event_id = filters.event_id(fields.get("id"))
        rows = selection.select(tx, EventFilter(ids=(event_id,)), 1)
        return {
            "service": self.service,
            "id": event_id,
            "outcome": self._outcome(tx, event_id),
            **event_view.attempts(rows),
        }

    def retry(self, tx: Connection, fields: Mapping[str, object]) -> object:
        """Make the retrying event with the id in the field `id` due now.

        Return `attempt`, the number of the next attempt, `of`, the last one, and `error`, the last error, masked.
        Raises RequestRefused: 404 when the service has not received the event, 409 when it is not retrying, or is being
        processed at this moment.
        """
        event_id = filters.event_id(fields.get("id"))
        if not actions.retry_now(tx, event_id):
            raise retry_refusal(tx, self.codec, event_id, self._outcome(tx, event_id))
        (row,) = selection.select(tx, EventFilter(ids=(event_id,)), 1)
        log.info("dead.hurried", id=event_id, attempt=retry_policy.next_attempt(row["attempts"]))
        return {
            "service": self.service,
            "id": event_id,
            "attempt": retry_policy.next_attempt(row["attempts"]),
            "of": 1 + MAX_RETRIES,
            "error": masked_text(row["error"]),
        }

    def _selection(self, tx: Connection, fields: Mapping[str, object]) -> tuple[EventFilter | None, bool]:
        """Return the filter of a body {"filters", "dryRun"}, and whether the events are only counted.

        The filter is None if no event can match. Raises RequestRefused (400) for a body of another shape.
        """
        chosen, dry = fields.get("filters", {}), fields.get("dryRun", False)
        if fields.keys() - {"filters", "dryRun"} or not isinstance(chosen, dict) or not isinstance(dry, bool):
            raise malformed('the body must be {"filters": {…}, "dryRun": true or false}')
        return self._resolve(tx, filters.parse(chosen)), dry

    def _outcome(self, tx: Connection, event_id: str) -> str:
        handled = inbox.outcome(tx, event_id)
        if handled is None:
            raise RequestRefused(404, "unknown_event", f"the {self.service} has not received {event_id}")
        return handled

    def _resolve(self, tx: Connection, selected: EventFilter) -> EventFilter | None:
        """Return the filter with the ids of matching events for its orders and provider ids; None if none match."""
        if not (selected.orders or selected.provider_ids):
            return selected
        found = [
            event_id
            for event_id, key, value in selection.select_candidates(tx, selected)
            if self._is_of(selected, key, value)
        ]
        return replace(selected, ids=tuple(found), orders=(), provider_ids=()) if found else None

    def _is_of(self, selected: EventFilter, key: bytes | None, value: bytes | None) -> bool:
        record, _ = record_view.decode(self.codec, value)
        if selected.provider_ids and (record is None or {*provider_ids.of(record)}.isdisjoint(selected.provider_ids)):
            return False
        return not selected.orders or not {key_text(key), event_view.order_of(record)}.isdisjoint(selected.orders)

    def _handler(self, verb: Verb, operation: Operation) -> Callable[[Mapping[str, object]], object]:
        def respond(fields: Mapping[str, object]) -> object:
            store_away, registry_away = refused_while_store_is_away(self.service), refused_while_registry_is_away()
            with store_away, registry_away, self.store.begin() as tx:
                return verb(tx, fields)

        return described(operation, respond)
