"""HTTP to a schema registry: credentials, its own CA, bounded answers, and errors that say what to do."""

import base64
import http.client
import json
import ssl
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

TIMEOUT_S = 15.0
"""One that has just started takes its time for the first answer."""
MOST_BYTES = 1_048_576
TYPE = "application/vnd.schemaregistry.v1+json"
EXPECTED = frozenset({200, 404, 409, 422})
"""Others say nothing about a schema; 405 and 501 are an operation the registry does not have."""
OK, NOT_FOUND, NO_SUCH_OPERATION = 200, 404, 405
REFUSED = frozenset({401, 403})
NOT_THERE = frozenset({405, 501})


class RegistryError(OSError):
    """The registry cannot be used now: it is away, refuses us, or answers with something else. Waiting may mend it."""


class CredentialsRefused(RegistryError):
    """The registry refuses the credentials: waiting does not mend it."""


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follow no redirect: it would carry the credentials to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class RegistryClient:
    """Calls one registry. `url` may hold a user and a password; `name` is what may be shown of it."""

    def __init__(self, url: str, token: str | None = None, ca: str | None = None) -> None:
        """Raises ValueError when the three cannot be used together, OSError when the CA cannot be read."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("SCHEMA_REGISTRY_URL must be an http or https URL")
        if token and parts.username is not None:
            raise ValueError("SCHEMA_REGISTRY_URL holds credentials and SCHEMA_REGISTRY_TOKEN is set: keep one")
        host = parts.netloc.rpartition("@")[2]
        self._base = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        self.name = f"the schema registry at {self._base}"
        self._headers = {"Content-Type": TYPE, "Accept": f"{TYPE}, application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        elif parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        self._opener = urllib.request.build_opener(
            _Stay, urllib.request.HTTPSHandler(context=_trust(ca) if parts.scheme == "https" else None)
        )

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The status (200, 404, 409, 422, or 405 for an operation it does not have) and the JSON of an answer.

        Raises Failure for everything else.
        """
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self._base + path, data, self._headers, method=method)  # noqa: S310 - checked
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as response:
                status, content = response.status, response.read(MOST_BYTES + 1)
        except urllib.error.HTTPError as refused:
            with refused:
                status, content = refused.code, refused.read(MOST_BYTES + 1)
        except (OSError, ValueError, http.client.HTTPException) as away:
            raise RegistryError(f"{self.name} does not answer: {_reason(away)}") from away
        return self._judged(status, content)

    def _judged(self, status: int, content: bytes) -> tuple[int, Any]:
        if status in NOT_THERE:
            return NO_SUCH_OPERATION, None
        if status in REFUSED:
            raise CredentialsRefused(
                f"{self.name} refuses us ({status}): check the user in SCHEMA_REGISTRY_URL, or SCHEMA_REGISTRY_TOKEN"
            )
        if status not in EXPECTED:
            raise RegistryError(f"{self.name} answers {status}")
        try:
            answer = json.loads(content[:MOST_BYTES])  # one that is longer is cut, and no JSON
        except (ValueError, RecursionError) as rubbish:
            hint = "check its path, such as /apis/ccompat/v7" if status == NOT_FOUND else "no JSON"
            raise RegistryError(f"{self.name} does not answer as a schema registry: {hint}") from rubbish
        return status, answer


def _trust(ca: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as wrong:  # ssl.SSLError, when the file holds no certificate, is one too
        raise OSError(wrong.errno, wrong.strerror or str(wrong), f"SCHEMA_REGISTRY_CA names {ca}") from wrong


def _reason(away: Exception) -> str:
    reason = getattr(away, "reason", None) or away
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({reason.verify_message}); set SCHEMA_REGISTRY_CA to its CA"
    return str(reason) or type(reason).__name__
