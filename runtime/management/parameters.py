"""Reads the parameters that requests to the management routes of several services share."""

from collections.abc import Mapping

from runtime.management.routes import RequestRefused


def malformed(message: str) -> RequestRefused:
    """Return the refusal (400) of a request with a wrong parameter, which `message` names."""
    return RequestRefused(400, "malformed", message)


def required_text(request: Mapping[str, object], name: str, longest: int) -> str:
    """Return the parameter `name` without surrounding white space.

    Raises RequestRefused unless the parameter is a text of 1 to `longest` printable characters.
    """
    value = request.get(name)
    if not (isinstance(value, str) and 0 < len(value.strip()) <= longest and value.isprintable()):
        raise malformed(f"{name} must be a text of 1 to {longest} printable characters")
    return value.strip()
