"""Whether a service can work, by its own word."""

import http.client
import json
import urllib.error
import urllib.request

TIMEOUT_S = 2.5


def of(management_url: str) -> str:
    """`ready`, or what is wrong."""
    # Asked directly: a proxy named in the environment has no business between here and here.
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
