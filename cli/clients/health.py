"""Reads the readiness of a service from its management listener."""

import http.client
import json
import urllib.error
import urllib.request

TIMEOUT_S = 2.5


def check(management_url: str) -> str:
    """Return `ready`, `down`, or the problems that the service reports, joined by semicolons."""
    # Do not use HTTP_PROXY for loopback addresses.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        direct.open(f"{management_url}/health/ready", timeout=TIMEOUT_S).close()
    except urllib.error.HTTPError as unready:
        try:
            return "; ".join(json.load(unready)["problems"])
        except (ValueError, KeyError, OSError):
            return f"answers HTTP {unready.code}"
    except (OSError, http.client.HTTPException):
        return "down"
    return "ready"
