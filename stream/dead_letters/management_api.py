"""What the person on call sees of the events that failed, and does about them: list, show, redrive, retry.

Every service with a store has these verbs on its management listener. Each may be said twice: the second time changes
nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, exc

from runtime.logging import log
from runtime.management import Refused, Routes
from stream.avro.codec import Codec, Undecodable
from stream.avro.registry import UnknownSchema
from stream.dead_letters import actions, filters
from stream.dead_letters.actions import Wanted
from stream.events import Record, provider_ids
from stream.events.redaction import masked_text, masked_value, redacted
from stream.store import inbox, retrying
from stream.store.retrying import MAX_RETRIES

DONE = "이미 처리된 웹훅입니다"
BEYOND = f"최대 재시도 횟수를 초과했습니다: {MAX_RETRIES}"
"""Contract E's words."""
NO_TRY = {
    "waiting": "it did not fail: it waits for what nobody has told yet, and is handled when somebody does",
    "abandoned": "it did not fail: what it waited for has not come; it is handled when somebody tells that",
    "retrying": "it is being tried at this moment; ask again",
}
OPEN = ("retrying", "abandoned")
BODIES = ("raw", "excerpt")
"""The fields of records that hold what somebody posted."""

Verb = Callable[[Connection, Mapping[str, Any]], object]


@dataclass(frozen=True, slots=True)
class ManagementApi:
    """The verbs over the store of one service."""

    service: str
    store: Engine
    codec: Codec

    def routes(self) -> Routes:
        """The verbs by method and path."""
        return {
            ("GET", "/dead"): self._asked(self.list),
            ("GET", "/dead/show"): self._asked(self.show),
            ("POST", "/dead/redrive"): self._asked(self.redrive),
            ("POST", "/dead/give-up"): self._asked(self.give_up),
            ("POST", "/dead/dismiss"): self._asked(self.dismiss),
            ("GET", "/retry"): self._asked(self.standing),
            ("POST", "/retry"): self._asked(self.retry),
        }

    def list(self, tx: Connection, said: Mapping[str, Any]) -> object:
        """The events that are meant, those that failed last first; and how many there are of each status.

        Dismissed events are listed only when their status is asked for.
        """
        wanted, most = self._named(tx, filters.wanted(said, besides=["limit"])), filters.limit(said.get("limit"))
        if wanted and not wanted.statuses:
            wanted = replace(wanted, statuses=OPEN)
        rows = actions.look(tx, wanted, most) if wanted else []
        events = [self._summary(row) for row in rows]
        return {"service": self.service, "events": events, "counts": retrying.counts(tx)}

    def show(self, tx: Connection, said: Mapping[str, Any]) -> object:
        """All of one event: what it says, masked, as today's schemas read it; its bytes where they do not."""
        name = filters.event_id(said.get("id"))
        rows = actions.look(tx, Wanted(ids=(name,)), 1)
        if not rows:
            raise Refused(404, "not_failed", f"the {self.service} has no failed event {name}")
        return {"service": self.service, **self._summary(rows[0]), **self._content(rows[0]["value"])}

    def redrive(self, tx: Connection, said: Mapping[str, Any]) -> object:
        """Re-open events that were given up, their attempts back at zero; with `dryRun` count them only."""
        wanted, dry = self._meant(tx, said)
        matched = actions.count(tx, "abandoned", wanted) if wanted else 0
        redriven = actions.redrive(tx, wanted) if wanted and not dry else 0
        if redriven:
            log.info("dead.redriven", count=redriven)
        return {"service": self.service, "matched": matched, "redriven": redriven}

    def give_up(self, tx: Connection, said: Mapping[str, Any]) -> object:
        """Let events that fail have one last try, at once; with `dryRun` count them only."""
        wanted, dry = self._meant(tx, said)
        matched = actions.count(tx, "retrying", wanted) if wanted else 0
        given_up = actions.give_up(tx, wanted) if wanted and not dry else 0
        if given_up:
            log.warning("dead.given_up", count=given_up)
        return {"service": self.service, "matched": matched, "givenUp": given_up}

    def dismiss(self, tx: Connection, said: Mapping[str, Any]) -> object:
        """Close abandoned events that can never be handled, and keep why; with `dryRun` count them only."""
        because = filters.because(said.get("because"))
        wanted, dry = self._meant(tx, {name: value for name, value in said.items() if name != "because"})
        matched = actions.count(tx, "abandoned", wanted) + actions.count_waited(tx, wanted) if wanted else 0
        dismissed = actions.dismiss(tx, wanted, because) if wanted and not dry else []
        for event_id in dismissed:
            log.warning("dead.dismissed", id=event_id, cause=masked_text(because))
        return {"service": self.service, "matched": matched, "dismissed": len(dismissed)}

    def standing(self, tx: Connection, said: Mapping[str, Any]) -> object:
        """How an event stands with this service: what became of it, or when it is tried again."""
        name = filters.event_id(said.get("id"))
        rows = actions.look(tx, Wanted(ids=(name,)), 1)
        return {"service": self.service, "id": name, "outcome": self._outcome(tx, name), **_attempts(rows)}

    def retry(self, tx: Connection, said: Mapping[str, Any]) -> object:
        """Let a failed event be tried again now, and say which try that is; contract E's words where it cannot be."""
        name = filters.event_id(said.get("id"))
        if not actions.hurry(tx, name):
            raise self._no(tx, name)
        (row,) = actions.look(tx, Wanted(ids=(name,)), 1)
        log.info("dead.hurried", id=name, attempt=retrying.next_attempt(row["attempts"]))
        return {
            "service": self.service,
            "id": name,
            "attempt": retrying.next_attempt(row["attempts"]),
            "of": 1 + MAX_RETRIES,
            "error": masked_text(row["error"]),
        }

    def _meant(self, tx: Connection, said: Mapping[str, Any]) -> tuple[Wanted | None, bool]:
        """Which events, and whether they are to be counted only."""
        chosen, dry = said.get("filters", {}), said.get("dryRun", False)
        if said.keys() - {"filters", "dryRun"} or not isinstance(chosen, dict) or not isinstance(dry, bool):
            raise Refused(400, "malformed", 'say {"filters": {…}, "dryRun": true or false}')
        return self._named(tx, filters.wanted(chosen)), dry

    def _no(self, tx: Connection, name: str) -> Refused:
        outcome = self._outcome(tx, name)
        if outcome in ("processed", "late"):
            return Refused(409, "already_processed", DONE)
        if outcome == "abandoned" and (rows := actions.look(tx, Wanted(ids=(name,)), 1)):
            if rows[0]["status"] == "dismissed":
                return Refused(409, "dismissed", f"it was dismissed: {masked_text(rows[0]['dismissed_because'])}")
            if self._read(rows[0]["value"])[0] is None:
                return Refused(409, "undecodable", "nobody can decode it; redrive it once its schema is known")
            return Refused(409, "retries_exhausted", BEYOND)
        return Refused(409, "not_failed", NO_TRY[outcome])

    def _outcome(self, tx: Connection, name: str) -> str:
        handled = inbox.outcome(tx, name)
        if handled is None:
            raise Refused(404, "unknown_event", f"the {self.service} has never heard of {name}")
        return handled

    def _named(self, tx: Connection, wanted: Wanted) -> Wanted | None:
        """The same wish, its orders and names found by what the events say; None: there is none."""
        if not (wanted.orders or wanted.names):
            return wanted
        found = [name for name, key, value in actions.naming(tx, wanted) if self._is_of(wanted, key, value)]
        return replace(wanted, ids=tuple(found), orders=(), names=()) if found else None

    def _is_of(self, wanted: Wanted, key: bytes | None, value: bytes | None) -> bool:
        record, _ = self._read(value)
        has_name = not wanted.names or (record is not None and set(wanted.names) & {*provider_ids.of(record)})
        return bool(has_name) and (not wanted.orders or _text(key) in wanted.orders or _order(record) in wanted.orders)

    def _summary(self, row: Mapping[str, Any]) -> dict[str, Any]:
        record, _ = self._read(row["value"])
        return {
            "id": row["event_id"],
            "type": type(record).__name__ if record else None,
            "orderId": _order(record),
            "status": row["status"],
            **_attempts([row]),
            "topic": row["topic"],
            "partition": row["partition"],
            "offset": row["offset"],
            "key": _text(row["key"]),
            "failedAt": row["failed_at"].isoformat(),
            "lastFailedAt": row["last_failed_at"].isoformat(),
            "dismissedBecause": row["dismissed_because"],
            "dismissedAt": row["dismissed_at"].isoformat() if row["dismissed_at"] else None,
        }

    def _content(self, value: bytes | None) -> dict[str, Any]:
        record, why = self._read(value)
        if record is None:
            return {"undecodable": why, "hex": (value or b"").hex()}
        return {"record": self._masked(msgspec.to_builtins(record, builtin_types=(bytes,)))}

    def _masked(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._shown(name, value) for name, value in fields.items()}

    def _shown(self, name: str, value: Any) -> Any:
        match value:
            case bytes() if name in BODIES:
                return redacted(value)
            case bytes() if name == "value":  # a dead letter's: the record that died
                return self._content(value)
            case bytes() if name == "key":
                return _text(value)
            case bytes():
                return value.hex()
            case dict():
                return self._masked(value)
            case _:
                return masked_value({name: value})[name]

    def _read(self, value: bytes | None) -> tuple[Record | None, str]:
        try:
            return self.codec.decode(value), ""
        except (Undecodable, UnknownSchema) as broken:
            return None, masked_text(str(broken))

    def _asked(self, verb: Verb) -> Callable[[Mapping[str, Any]], object]:
        def answer(said: Mapping[str, Any]) -> object:
            try:
                with self.store.begin() as tx:
                    return verb(tx, said)
            except exc.SQLAlchemyError as failure:
                sentence = f"the store of the {self.service} does not answer; try again"
                raise Refused(503, "store_away", sentence) from failure

        return answer


def _attempts(rows: list[Mapping[str, Any]] | list[dict[str, Any]]) -> dict[str, Any]:
    """How often it was tried, the last error, and when it is tried next; nothing of what did not fail."""
    if not rows:
        return {}
    (row,) = rows
    due = row["next_attempt_at"].isoformat() if row["status"] == "retrying" else None
    return {"attempts": row["attempts"], "error": masked_text(row["error"]), "nextAttemptAt": due}


def _order(record: Record | None) -> str | None:
    """The order a record is about, where it says one."""
    about: str | None = getattr(getattr(record, "notice", record), "order_id", None)
    return about


def _text(key: bytes | None) -> str | None:
    return None if key is None else masked_text(key.decode(errors="backslashreplace"))
