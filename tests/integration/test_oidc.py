"""Login through an identity provider: a small true one, which signs its tokens and checks PKCE and the secret."""

import json
import re
import secrets
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import RSAKey
from litestar import Litestar
from litestar.testing import TestClient

from console.pages.site import Site
from console.settings import ConsoleSettings
from console.web.action_log import ActionLog
from console.web.records import Records
from runtime.postgres.engine import engine
from stream.avro.codec import Codec
from stream.avro.registry import CommittedRegistry
from stream.kafka.cluster import Cluster

CLIENT, SECRET = "hookstream", "the secret of the client"


class Provider(ThreadingHTTPServer):
    """An identity provider with one person, who is always logged in. `claims` are put into the next id token."""

    def __init__(self, database_url: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.database_url = database_url
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.signs_with = self.key
        self.codes: dict[str, dict[str, str]] = {}
        self.claims: dict[str, Any] = {}


class Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        match url.path:
            case "/.well-known/openid-configuration":
                self._json(200, {"issuer": self.server.issuer, **self._endpoints()})
            case "/jwks":
                self._json(200, {"keys": [self.server.key.as_dict(private=False)]})
            case _:
                assert query["response_type"] == "code"
                assert query["code_challenge_method"] == "S256"
                code = secrets.token_urlsafe(8)
                self.server.codes[code] = query
                self.send_response(302)
                self.send_header(
                    "Location", f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"
                )
                self.end_headers()

    def do_POST(self) -> None:
        fields = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        requested = self.server.codes.pop(fields["code"][0], None)
        user, _, password = b64decode(self.headers["Authorization"].split()[1]).decode().partition(":")
        proved = requested and create_s256_code_challenge(fields["code_verifier"][0]) == requested["code_challenge"]
        if not (proved and requested and (user, unquote(password)) == (CLIENT, SECRET)):
            return self._json(400, {"error": "invalid_grant"})
        now = int(time.time())
        claims = {"iss": self.server.issuer, "aud": CLIENT, "exp": now + 60, "iat": now, "nonce": requested["nonce"]}
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims | self.server.claims, self.server.signs_with)
        self._json(200, {"access_token": "x", "token_type": "Bearer", "id_token": token})

    def _endpoints(self) -> dict[str, str]:
        paths = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        return {name: f"{self.server.issuer}/{path}" for name, path in paths.items()}

    def _json(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def provider(system: dict[str, str]) -> Iterator[Provider]:
    with Provider(system["CONSOLE_DATABASE_URL"]) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@contextmanager
def console(provider: Provider, **settings: str) -> Iterator[TestClient[Litestar]]:
    """The console's pages with the system's store, and without a broker: a login needs none."""
    given = {
        "kafka_bootstrap_servers": "127.0.0.1:1",
        "database_url": provider.database_url,
        "console_token": "a token of some length",
        "console_public_url": "http://testserver.local",
        "console_oidc_issuer": provider.issuer,
        "console_oidc_client_id": CLIENT,
        "console_oidc_client_secret": SECRET,
        "console_oidc_roles": "ops=operator;bank=auditor,viewer",
    }
    values = ConsoleSettings.model_validate(given | settings)
    store = engine(provider.database_url, service="test")
    cluster, codec = Cluster.of(values, "console"), Codec(CommittedRegistry())
    site = Site(values, store, ActionLog(cluster, codec), Records(cluster, codec, values.mode))
    with TestClient(Litestar(site.handlers, openapi_config=None)) as client:
        yield client
    store.dispose()


def log_in(client: TestClient[Litestar], provider: Provider) -> Any:
    """Follow the way to the provider and back; the answer of the return."""
    away = client.get("/login/oidc?next=/webhooks", follow_redirects=False)
    assert away.headers["location"].startswith(f"{provider.issuer}/authorize?")
    return client.get(returned(away.headers["location"]), follow_redirects=False)


def returned(location: str) -> str:
    """Where the provider sends the browser: its path and query at the console."""
    import http.client  # noqa: PLC0415

    url = urlsplit(location)
    connection = http.client.HTTPConnection(url.hostname or "", url.port)
    connection.request("GET", f"{url.path}?{url.query}")
    back = urlsplit(connection.getresponse().headers["Location"])
    connection.close()
    return f"{back.path}?{back.query}"


def test_a_person_gets_the_roles_of_the_providers_groups(provider: Provider) -> None:
    provider.claims = {"sub": "17", "preferred_username": "kim", "roles": ["bank", "others"]}
    with console(provider) as client:
        back = log_in(client, provider)

        assert (back.status_code, back.headers["location"]) == (303, "/webhooks")
        page = client.get("/login", follow_redirects=False)
        assert page.status_code == 303  # logged in already
        page = client.get("/audit", follow_redirects=False)
        assert page.status_code == 200
        assert "kim" in page.text


def test_a_group_that_has_lost_its_roles_ends_the_sessions_of_its_people(provider: Provider) -> None:
    provider.claims = {"sub": "17", "preferred_username": "kim", "roles": ["ops"]}
    with console(provider) as client, console(provider, console_oidc_roles="bank=viewer") as after:
        log_in(client, provider)
        assert client.get("/audit", follow_redirects=False).status_code == 200
        after.cookies.update(client.cookies)

        assert after.get("/audit", follow_redirects=False).headers["location"].startswith("/login")


def test_a_person_without_a_role_is_told_so(provider: Provider) -> None:
    provider.claims = {"sub": "17", "roles": "guests"}
    with console(provider) as client:
        back = log_in(client, provider)

        assert back.status_code == 403
        assert client.get("/", follow_redirects=False).status_code == 303


@pytest.mark.parametrize(
    "claims",
    [{"aud": "somebody else"}, {"iss": "https://elsewhere.test"}, {"nonce": "another"}, {"exp": 1}],
    ids=lambda claims: next(iter(claims)),
)
def test_a_token_for_somebody_else_is_refused(provider: Provider, claims: dict[str, Any]) -> None:
    provider.claims = {"sub": "17", "roles": ["ops"], **claims}
    with console(provider) as client:
        assert log_in(client, provider).status_code == 401


def test_a_token_signed_with_another_key_is_refused(provider: Provider) -> None:
    provider.claims = {"sub": "17", "roles": ["ops"]}
    provider.signs_with = RSAKey.generate_key(2048, {"kid": "one"})
    with console(provider) as client:
        assert log_in(client, provider).status_code == 401


def test_a_return_that_this_browser_did_not_begin_is_refused(provider: Provider) -> None:
    provider.claims = {"sub": "17", "roles": ["ops"]}
    with console(provider) as client, console(provider) as other:
        begun = client.get("/login/oidc", follow_redirects=False).headers["location"]
        stolen = returned(begun)

        assert other.get(stolen, follow_redirects=False).status_code == 401
        assert client.get(stolen + "x", follow_redirects=False).status_code == 401
        assert client.get(stolen, follow_redirects=False).status_code == 303


def test_an_issuer_needs_a_public_url_and_roles(provider: Provider) -> None:
    with pytest.raises(ValueError, match="CONSOLE_PUBLIC_URL"), console(provider, console_public_url=""):
        pass
    with pytest.raises(ValueError, match="value=role"), console(provider, console_oidc_roles="ops"):
        pass


def act(client: TestClient[Litestar]) -> Any:
    """Ask for an unmasked payload, with the token of the form that a page has."""
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get("/audit").text)
    assert found
    webhook = "00000000-0000-4000-8000-000000000000"
    return client.post(f"/webhooks/{webhook}/unmask", data={"csrf": found[1]}, follow_redirects=False)


def test_a_viewer_may_not_do_what_takes_another_role(provider: Provider) -> None:
    provider.claims = {"sub": "17", "roles": ["bank"]}
    with console(provider, console_oidc_roles="bank=viewer") as client:
        log_in(client, provider)

        refused = act(client)

        assert refused.status_code == 403
        assert "auditor" in refused.text


def test_nothing_is_done_without_its_record(provider: Provider) -> None:
    provider.claims = {"sub": "17", "roles": ["bank"]}
    with console(provider) as client:
        log_in(client, provider)

        refused = act(client)

        assert refused.status_code == 503
        assert "Nothing was done" in refused.text
