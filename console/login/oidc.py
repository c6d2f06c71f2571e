"""Login through an OpenID Connect provider: the authorization code flow with PKCE (RFC 7636) and a nonce."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from console.login.users import RoleMap
from runtime.json_value import JsonValue

SCOPE = "openid profile email"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
TIMEOUT_S = 10.0
CLOCK_SKEW_S = 60
ATTEMPT_S = 600
"""How long a person may take to log in at the provider, in seconds."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")
NAMES = ("preferred_username", "email", "sub")
"""The claims that name a person, in order of preference."""


class OidcRefused(Exception):
    """The provider does not answer, or does not confirm the login. The text is for the log and has no token or code."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A login that a browser has begun, kept in a signed cookie.

    `state`, `nonce` and `verifier` (of PKCE) are random; `next` is the path to go to after the login; `at` is in
    seconds since 1970 UTC.
    """

    state: str
    nonce: str
    verifier: str
    next: str
    at: int


@dataclass(frozen=True, slots=True)
class Identity:
    """A person according to the provider. `groups` are the values of the claim that map to roles; none: no access."""

    name: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """A provider and this console's registration there. `role_map` maps values of the claim `claim` to roles."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    claim: str
    role_map: RoleMap

    def begin(self, next_path: str, now: int) -> tuple[str, Attempt]:
        """Return the URL of the provider's login page, and the attempt to keep for `finish`.

        `next_path` is the path to go to after the login, `now` is in seconds since 1970 UTC. Raises OidcRefused if the
        provider does not answer as expected.
        """
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        attempt = Attempt(state, nonce, verifier, next_path, now)
        try:
            with self._client() as client:
                url, _ = client.create_authorization_url(
                    self._metadata(client)["authorization_endpoint"],
                    state=attempt.state,
                    nonce=attempt.nonce,
                    code_verifier=attempt.verifier,
                )
        except Exception as failure:
            raise OidcRefused(_reason(failure)) from failure
        return str(url), attempt

    def finish(self, attempt: Attempt | None, query: Mapping[str, str], now: int) -> Identity:
        """Return the person who has logged in, from the parameters with which the provider sends the browser back.

        `now` is in seconds since 1970 UTC. Raises OidcRefused if there is no attempt or it is older than ATTEMPT_S, if
        `query` belongs to another attempt or has no code, if the provider does not answer as expected, and if the id
        token is not valid or names nobody.
        """
        if attempt is None or now - attempt.at > ATTEMPT_S:
            raise OidcRefused("the login took too long, or was begun in another browser")
        if not secrets.compare_digest(query.get("state", "").encode(), attempt.state.encode()):
            raise OidcRefused("the state is not that of this login")
        if "code" not in query:
            raise OidcRefused(query.get("error", "the provider sent no code")[:100])
        try:
            with self._client() as client:
                claims = self._claims(client, attempt, query["code"])
        except Exception as failure:
            raise OidcRefused(_reason(failure)) from failure
        return Identity(name_of(claims), self._groups(claims))

    def _claims(self, client: JsonValue, attempt: Attempt, code: str) -> Mapping[str, JsonValue]:
        """Fetch the token and return the claims of its id token, with signature, issuer, audience and nonce checked."""
        metadata = self._metadata(client)
        token = client.fetch_token(
            metadata["token_endpoint"],
            grant_type="authorization_code",
            code=code,
            code_verifier=attempt.verifier,
        )
        keys = KeySet.import_key_set(client.request("GET", metadata["jwks_uri"], withhold_token=True).json())
        claims = jwt.decode(token["id_token"], keys, algorithms=ALGORITHMS).claims
        jwt.JWTClaimsRegistry(
            now=lambda: int(time.time()),
            leeway=CLOCK_SKEW_S,
            iss={"essential": True, "value": metadata["issuer"]},
            aud={"essential": True, "value": self.client_id},
            exp={"essential": True},
            nonce={"essential": True, "value": attempt.nonce},
        ).validate(claims)
        return claims

    def _metadata(self, client: JsonValue) -> Mapping[str, JsonValue]:
        address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        response = client.request("GET", address, withhold_token=True)
        response.raise_for_status()
        metadata: Mapping[str, JsonValue] = response.json()
        if metadata["issuer"].rstrip("/") != self.issuer.rstrip("/"):
            raise OidcRefused("the provider's metadata name another issuer")
        return metadata

    def _client(self) -> JsonValue:
        is_loopback = urlsplit(self.issuer).hostname in LOOPBACK
        return OAuth2Client(
            self.client_id,
            self.client_secret,
            scope=SCOPE,
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
            timeout=TIMEOUT_S,
            trust_env=not is_loopback,  # HTTP_PROXY must not be used for loopback addresses
        )

    def _groups(self, claims: Mapping[str, JsonValue]) -> tuple[str, ...]:
        given = claims.get(self.claim, ())
        values = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        return tuple(sorted({str(value) for value in values} & self.role_map.keys()))


def name_of(claims: Mapping[str, JsonValue]) -> str:
    """Return the first of the claims NAMES that is set, at most 100 characters. Raises OidcRefused if none is."""
    name = next((str(claims[claim]) for claim in NAMES if claims.get(claim)), "")
    if not name:
        raise OidcRefused("the id token names nobody")
    return name[:100]


def _reason(failure: Exception) -> str:
    """Return a reason for the log: never a token or a code."""
    if isinstance(failure, OidcRefused | AuthlibBaseError | JoseError):
        return str(failure)[:200]
    return f"{type(failure).__name__}: the provider's answer cannot be used"
