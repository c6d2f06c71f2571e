"""Reads the readiness of a service from its management listener."""

from http import HTTPStatus

from runtime.clients import loopback

TIMEOUT_S = 2.5


def check(management_url: str) -> str:
    """Return the readiness of the service: `ready`, `down` if it does not answer, or its problems joined by semicolons.

    A refusal without problems is returned as `answers HTTP` and the status. No error is raised.
    """
    try:
        response = loopback.get(f"{management_url}/health/ready", timeout_s=TIMEOUT_S)
    except OSError:
        return "down"
    if response.status == HTTPStatus.OK:
        return "ready"
    try:
        problems = "; ".join(response.json()["problems"])
    except (ValueError, KeyError, TypeError):
        problems = ""
    return problems or f"answers HTTP {response.status}"
