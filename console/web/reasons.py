"""The reason that a person gives for an action, from its form."""

from console.web.page import ActionRefused, PageRequest


def optional(request: PageRequest, field: str, most: int) -> str:
    """Return the reason in a field of the form; empty if there is none.

    Raises ActionRefused for more than `most` characters: the audit must have all of it.
    """
    reason = request.form.get(field, "").strip()
    if len(reason) > most:
        raise ActionRefused("action.reason_too_long", most=most)
    return reason


def required(request: PageRequest, field: str, most: int) -> str:
    """Return the reason in a field of the form. Raises ActionRefused without one, and as `optional`."""
    reason = optional(request, field, most)
    if not reason:
        raise ActionRefused("action.reason_missing")
    return reason
