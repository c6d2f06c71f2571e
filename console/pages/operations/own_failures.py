"""The dead events of the console itself, which publishes no outcomes, so that they are in no issue."""

from collections import defaultdict

from sqlalchemy import Connection

from console.queries.lookup import Row, rows
from console.web.page import Action, ActionRefused, ActionResult, Done, PageRequest
from console.web.rendering.formatting import first_line
from runtime.clients.management_client import ServiceRefused, ServiceUnreachable
from runtime.json_value import JsonValue
from stream.store import retrying

SERVICE = "console"
AT_ONCE = 50
"""The most events that are shown and redriven at once."""

UNREPORTED = """
SELECT count(*) FROM retries
 WHERE status = 'dead'
   AND NOT EXISTS (SELECT 1 FROM issue_events WHERE issue_events.event_id = retries.event_id AND is_dead)
   AND NOT EXISTS (SELECT 1 FROM outcomes WHERE outcomes.event_id = retries.event_id AND outcome = 'dismissed')
"""
SAME_RECORDS = """
SELECT event_id::text, issue_id::text, service FROM issue_events JOIN issues USING (issue_id)
 WHERE is_dead AND event_id = ANY (%(ids)b::text[]::uuid[]) ORDER BY service
"""


def unreported(tx: Connection) -> int:
    """Return the number of the console's own dead events that no other service has reported as dead or dismissed.

    A record that cannot be decoded is dead in every service that reads its topic, under the same event id.
    """
    return int(tx.exec_driver_sql(UNREPORTED).scalar_one())


def same_records(tx: Connection, event_ids: list[str]) -> defaultdict[str, list[Row]]:
    """Return by event id the issues (`issue_id`, `service`) of the services in which these records are dead too."""
    found = defaultdict[str, list[Row]](list)
    for row in rows(tx, SAME_RECORDS, {"ids": event_ids}):
        found[row["event_id"]].append(row)
    return found


def dead(tx: Connection, request: PageRequest) -> list[dict[str, JsonValue]]:
    """Return at most AT_ONCE of the console's own dead events.

    The list is empty too if the console's listener does not answer or refuses, or its address is not known. `issues` of
    an event are its `same_records`: a redrive there does not redrive it here. Rolls the transaction back. The listener,
    which decodes events, is called only if there are any: the live list of issues calls this function every 2 s.
    """
    has_dead = retrying.counts(tx)["dead"] > 0
    tx.rollback()  # no transaction stays open while the console's own listener is asked
    if not has_dead or SERVICE not in request.services.names:
        return []
    try:
        answer = request.services.get(SERVICE, "/dead", status="dead", limit=str(AT_ONCE))
    except (ServiceRefused, ServiceUnreachable):
        return []
    elsewhere = same_records(tx, [event["id"] for event in answer["events"]])
    return [
        {**event, "error": first_line(event["error"]), "issues": elsewhere[event["id"]]} for event in answer["events"]
    ]


def redrive(_: Connection, request: PageRequest) -> ActionResult:
    """Redrive those of the console's own dead events that the form names. Raises ActionRefused if it names none."""
    chosen = list(filter(None, request.form_lists.get("event", ())))
    if not chosen:
        raise ActionRefused("issues.none_chosen")
    answer = request.services.post(SERVICE, "/dead/redrive", {"filters": {"id": chosen}})
    return Done("/issues", "issues.redrive_started", {"count": answer["redriven"]})


ACTIONS = (Action("/own-failures/redrive", "dead.redrive", "operator", redrive, lambda _: SERVICE),)
