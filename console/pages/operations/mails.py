"""The pages Mails: mails that were not sent, a preview of each, and the decisions that only a person can make."""

from sqlalchemy import Connection

from console.pages import address_advice
from console.queries.criteria import BadParameter, is_uuid
from console.web import reasons
from console.web.page import Action, ActionResult, Done, Page, PageRequest
from runtime.clients.management_client import ServiceRefused, ServiceUnreachable
from runtime.json_value import JsonValue
from stream.events.text.redaction import masked_text

SERVICE = "notifier"
STATUSES = ("waiting", "queued", "sending", "failed", "unknown", "stale", "no_recipient", "sent")
UNDELIVERABLE = ("failed", "unknown", "no_recipient", "stale")
TONES = {
    "sent": "good",
    "queued": "busy",
    "sending": "busy",
    "waiting": "busy",
    "failed": "bad",
    "unknown": "bad",
    "no_recipient": "warn",
    "stale": "idle",
}
NOT_FOUND = 404
MAX_REASON_CHARS = 150
MAX_DECISION_CHARS = 200


def view(tx: Connection, request: PageRequest) -> dict[str, JsonValue]:  # noqa: ARG001
    """Return the mails of the query's status or order; without either, those that need a person.

    If the notifier refuses or does not answer, `problem` says why and the lists are empty. Raises BadParameter for any
    other status than STATUSES.
    """
    status, order = request.query.get("status") or None, request.query.get("order") or None
    if status not in (None, *STATUSES):
        raise BadParameter(f"status must be one of {', '.join(STATUSES)}")
    shared = {"statuses": STATUSES, "tones": TONES, "status": status or "", "order": order or ""}
    try:
        answer = request.services.get(SERVICE, "/mails", status=status, order=order, limit="200")
    except (ServiceRefused, ServiceUnreachable) as failure:
        return {**shared, "problem": str(failure), "mails": [], "counts": {}, "contacts": []}
    mails = [{**mail, "error": masked_text(mail["error"] or "")} for mail in answer["mails"]]
    return {
        **shared,
        "problem": None,
        "mails": mails,
        "counts": answer["counts"],
        "contacts": answer["unusable_contacts"],
        "undeliverable": [name for name in UNDELIVERABLE if any(mail["status"] == name for mail in mails)],
    }


def view_one(tx: Connection, request: PageRequest) -> dict[str, JsonValue] | None:  # noqa: ARG001
    """Return one mail as it would be sent now; None without one. Only auditors see the recipient unmasked."""
    mail = _mail(request)
    if mail is None:
        return None
    recipient = mail["recipient"]
    shown = recipient if request.viewer.may("auditor") or recipient is None else masked_text(recipient)
    return {
        "mail": {**mail, "recipient": shown, "error": masked_text(mail["error"] or "")},
        "tones": TONES,
        "advice": address_advice.advice(mail),
        "longest": MAX_REASON_CHARS,
    }


def view_html(tx: Connection, request: PageRequest) -> dict[str, JsonValue] | None:  # noqa: ARG001
    """Return the HTML part of a mail, for the sandboxed frame of its page; None if there is no such mail."""
    mail = _mail(request)
    return None if mail is None else {"content": mail.get("html", "")}


def send_now(tx: Connection, request: PageRequest) -> ActionResult:  # noqa: ARG001
    """Make a queued mail due at once. A mail that is being sent or was sent stays as it is."""
    answer = request.services.post(SERVICE, "/mails/send-now", {"id": request.ids[0]})
    return Done(f"/mails/{request.ids[0]}", "mails.sent_now" if answer["changed"] else "mails.unchanged")


def send_again(tx: Connection, request: PageRequest) -> ActionResult:  # noqa: ARG001
    """Send a sent or stale mail again, as a new mail. The same person with the same reason sends it only once.

    Raises ActionRefused without a reason, and for one that is too long.
    """
    reason = reasons.required(request, "because", MAX_REASON_CHARS)
    decision = f"{request.viewer.name}: {reason}"[:MAX_DECISION_CHARS]
    answer = request.services.post(SERVICE, "/mails/send-again", {"id": request.ids[0], "decision": decision})
    message = "mails.sent_again" if answer["changed"] else "mails.sent_again_before"
    return Done(f"/mails/{answer['id']}", message)


def resolve(tx: Connection, request: PageRequest) -> ActionResult:  # noqa: ARG001
    """Record a person's decision: an unknown mail arrived, or an unknown or failed mail is to be sent again."""
    decision = request.form.get("as", "")
    answer = request.services.post(SERVICE, "/mails/resolve", {"id": request.ids[0], "as": decision})
    return Done(f"/mails/{request.ids[0]}", "mails.resolved" if answer["changed"] else "mails.unchanged")


def _mail(request: PageRequest) -> JsonValue:
    """Return the notifier's JSON of a mail; None if there is none with this id."""
    if not is_uuid(request.ids[0]):
        return None
    try:
        return request.services.get(SERVICE, "/mail", id=request.ids[0])
    except ServiceRefused as refused:
        if refused.status == NOT_FOUND:
            return None
        raise


PAGES = (
    Page("/mails", "mails.html", view, "mails"),
    Page("/mails/{mail_id:str}", "mail.html", view_one, "mails", frames=True),
    Page("/mails/{mail_id:str}/html", "mail_html.html", view_html, "mails", is_framed=True),
)
ACTIONS = (
    Action("/mails/{mail_id:str}/send-now", "mail.send_now", "operator", send_now),
    Action("/mails/{mail_id:str}/send-again", "mail.send_again", "operator", send_again),
    Action("/mails/{mail_id:str}/resolve", "mail.resolve", "operator", resolve),
)
