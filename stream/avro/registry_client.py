"""An HTTP client of a schema registry: credentials, a CA of its own, bounded responses, errors that say what to do."""

import base64
import http.client
import json
import ssl
import urllib.error
import urllib.request
from urllib.parse import unquote, urlunsplit

from runtime.clients.no_redirects import NoRedirects
from runtime.confidential import urls
from runtime.confidential.wrong_setting import UnreadableSetting, WrongSetting

TIMEOUT_S = 15.0
"""A registry that has just started is slow to answer its first request."""
MAX_RESPONSE_BYTES = 1_048_576
CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
EXPECTED = frozenset({200, 404, 409, 422})
"""Statuses that say something about a schema: known, unknown, incompatible, invalid."""
OK, NOT_FOUND, NO_SUCH_OPERATION = 200, 404, 405
UNAUTHORIZED = frozenset({401, 403})
UNSUPPORTED = frozenset({405, 501})
"""Statuses of a registry that lacks the operation."""


class RegistryError(OSError):
    """The registry does not answer, refuses the request, or sends an unexpected response. Waiting may help."""


class CredentialsRefused(RegistryError):
    """The registry refuses the credentials; waiting does not help."""


class RegistryClient:
    """Calls one registry. `url` may contain a user and a password; the attribute `name`, for messages, has neither."""

    def __init__(self, url: str, token: str | None = None, ca: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        """`token` is a bearer token, `ca` the path of a PEM file. `timeout_s` limits each request.

        Raises WrongSetting when the three cannot be used together, UnreadableSetting when the CA cannot be read.
        """
        try:
            parts = urls.split(url)
        except WrongSetting as wrong:
            raise WrongSetting(f"SCHEMA_REGISTRY_URL: {wrong}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.path:
            raise WrongSetting(f"SCHEMA_REGISTRY_URL must be an http or https URL; {urls.ESCAPES}")
        if token and parts.username is not None:
            raise WrongSetting(
                "SCHEMA_REGISTRY_URL has credentials and SCHEMA_REGISTRY_TOKEN is set: use only one of them"
            )
        host = parts.netloc.rpartition("@")[2]
        self._timeout_s = timeout_s
        self._base = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        self.name = f"the schema registry at {self._base}"
        self._headers = {"Content-Type": CONTENT_TYPE, "Accept": f"{CONTENT_TYPE}, application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        elif parts.username is not None:
            credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {base64.b64encode(credentials.encode()).decode()}"
        self._opener = urllib.request.build_opener(
            NoRedirects, urllib.request.HTTPSHandler(context=_tls_context(ca) if parts.scheme == "https" else None)
        )

    def call(self, method: str, path: str, body: object = None) -> tuple[int, object]:
        """Return the status, one of EXPECTED, and the decoded JSON response; 405 and None for an unsupported operation.

        `body` is sent as JSON; None sends no body. Raises RegistryError when the registry does not answer, or answers
        with another status or something else than JSON, and CredentialsRefused for 401 and 403.
        """
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self._base + path, data, self._headers, method=method)  # noqa: S310 - checked
        try:
            with self._opener.open(request, timeout=self._timeout_s) as response:
                status, content = response.status, response.read(MAX_RESPONSE_BYTES + 1)
        except urllib.error.HTTPError as refused:
            with refused:
                status, content = refused.code, refused.read(MAX_RESPONSE_BYTES + 1)
        except (OSError, ValueError, http.client.HTTPException) as failure:
            raise RegistryError(f"{self.name} does not answer: {_reason(failure)}") from failure
        return self._checked(status, content)

    def _checked(self, status: int, content: bytes) -> tuple[int, object]:
        if status in UNSUPPORTED:
            return NO_SUCH_OPERATION, None
        if status in UNAUTHORIZED:
            raise CredentialsRefused(
                f"{self.name} refuses the credentials ({status}): "
                "check the user in SCHEMA_REGISTRY_URL, or SCHEMA_REGISTRY_TOKEN"
            )
        if status not in EXPECTED:
            raise RegistryError(f"{self.name} answers {status}")
        try:
            decoded = json.loads(content[:MAX_RESPONSE_BYTES])  # a longer response is cut, and then not JSON
        except (ValueError, RecursionError) as failure:
            hint = "check its path, such as /apis/ccompat/v7" if status == NOT_FOUND else "no JSON"
            raise RegistryError(f"{self.name} does not answer as a schema registry: {hint}") from failure
        return status, decoded


def _tls_context(ca: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as failure:  # including ssl.SSLError, when the file holds no certificate
        reason = failure.strerror or str(failure)
        raise UnreadableSetting(failure.errno, reason, f"SCHEMA_REGISTRY_CA names {ca}") from failure


def _reason(failure: Exception) -> str:
    reason = getattr(failure, "reason", None) or failure
    if isinstance(reason, ValueError | http.client.InvalidURL) and not isinstance(reason, OSError):
        return "its URL, or that of the proxy in the environment, cannot be used"  # the error may quote a password
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({reason.verify_message}); set SCHEMA_REGISTRY_CA to its CA"
    return str(reason) or type(reason).__name__
