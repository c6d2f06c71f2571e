"""Carries out a person's action: writes its record, performs the action, then writes the record of its result."""

import msgspec
from sqlalchemy import Engine

from console.web.action_log import ActionLog, NotRecorded
from console.web.page import Action, ActionRefused, ActionResult, Download, PageRequest
from console.web.rendering.action_details import code
from runtime.clients.management_client import ServiceRefused, ServiceUnreachable
from runtime.logging import log
from stream.events import ConsoleAction, Micros, ids

CSRF_FIELD, BACK_FIELD = "csrf", "back"
"""The fields that every form has: the CSRF token, and the path of the form's page."""
UNRECORDED = frozenset({CSRF_FIELD, BACK_FIELD})
"""The fields that are no parameter of any action."""
MAX_PARAMETER_CHARS = 500


class NotDone(Exception):
    """An action was refused or has failed: the key of the message for the person, its values, and the logged reason."""

    def __init__(self, key: str, values: dict[str, str], reason: str) -> None:
        super().__init__(reason)
        self.key = key
        self.values = values


def perform(action: Action, request: PageRequest, action_log: ActionLog, store: Engine) -> ActionResult:
    """Carry out an action between its two records, and return its result.

    The action gets a connection to the store that is never committed. Raises NotRecorded if the first record could not
    be written: nothing was done then. Raises NotDone if the action refused, or a service did not carry it out; any
    other exception of the action is recorded as `failed` and raised.
    """
    record = requested(action, request)
    action_log.append(record)
    log.info("action.requested", id=record.action_id, type=action.name, cause=request.viewer.name)
    try:
        with store.connect() as tx:
            result = action.perform(tx, request)
    except ActionRefused as refused:
        values = {name: str(value) for name, value in refused.values.items()}
        _note_result(action_log, record, "refused", code(str(refused), values))
        raise NotDone(str(refused), values, str(refused)) from refused
    except ServiceRefused as refused:
        _note_result(action_log, record, "refused", str(refused))
        raise NotDone("action.refused", {"reason": refused.message}, str(refused)) from refused
    except ServiceUnreachable as failure:
        _note_result(action_log, record, "failed", str(failure))
        raise NotDone("action.unreachable", {"reason": str(failure)}, str(failure)) from failure
    except Exception as failure:
        _note_result(action_log, record, "failed", type(failure).__name__)
        raise
    _note_result(action_log, record, "done", result.note if isinstance(result, Download) else None)
    return result


def requested(action: Action, request: PageRequest) -> ConsoleAction:
    """Return the record that is written before the action; its `result` is `requested`."""
    viewer, target = request.viewer, action.target(request)
    return ConsoleAction(
        action_id=ids.action_id(viewer.name, action.name, target, request.now),
        at=Micros(request.now),
        user=viewer.name,
        role=action.role,
        action=action.name,
        target=target,
        parameters={
            name: ",".join(values)[:MAX_PARAMETER_CHARS]
            for name, values in request.form_lists.items()
            if name not in UNRECORDED | action.unrecorded
        },
        result="requested",
        detail=None,
    )


def _note_result(action_log: ActionLog, record: ConsoleAction, result: str, detail: str | None) -> None:
    """Write the second record. Without it the action stays `requested` in the audit, so a failure is only logged."""
    try:
        action_log.append(msgspec.structs.replace(record, result=result, detail=detail))
    except NotRecorded as failure:
        log.error("action.result_unrecorded", id=record.action_id, type=record.action, error=str(failure))
