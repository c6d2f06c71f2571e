"""The parties of the tests: the shop that posts webhooks, and the stores, the inbox and the console that tests read."""

import hmac
import http.client
import json
import time
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import psycopg
from psycopg.rows import dict_row

T = TypeVar("T")
TIMEOUT_S = 30.0


def until(look: Callable[[], T], wanted: Callable[[T], bool], seconds: float = TIMEOUT_S) -> T:
    """Call `look` until `wanted` is true of its result, and return that result.

    Raises AssertionError with the last result after `seconds`; an error of `look` is not caught.
    """
    end = time.monotonic() + seconds
    while not wanted(seen := look()):
        if time.monotonic() > end:
            raise AssertionError(f"still, after {seconds:g} s: {seen!r}")
        time.sleep(0.05)
    return seen


def new_order() -> str:
    """Return an order id that no other test uses, of 14 characters."""
    return f"T-{uuid.uuid4().hex[:12]}"


@dataclass(frozen=True)
class Reply:
    """An HTTP response: the body parsed as JSON (None if empty), and the headers by lower-case name."""

    status: int
    body: Any
    headers: dict[str, str]


@dataclass
class Shop:
    """Posts to the gateway at `url`, signing with `secret` as contract A says."""

    url: str
    secret: str
    headers: dict[str, str] = field(default_factory=dict)

    def post(self, kind: str, body: dict[str, Any], **headers: str) -> Reply:
        """Post `body` as JSON to the path of a kind, such as `payment`; `headers` as for `post_bytes`."""
        return self.post_bytes(f"/webhooks/{kind}", json.dumps(body, ensure_ascii=False).encode(), **headers)

    def post_bytes(self, path: str, body: bytes, **headers: str) -> Reply:
        """Post `body` as it is, signed; `headers` replace those that are added, with dashes for underscores."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        signed = {"Content-Type": "application/json", "X-Webhook-Signature": self.sign(body)}
        return self.request("POST", path, body, {**signed, **given})

    def request(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        """Send a request with these headers only, unsigned, over a connection of its own."""
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = response.read()
            published = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, json.loads(content) if content else None, published)
        finally:
            connection.close()

    def sign(self, body: bytes) -> str:
        return hmac.new(self.secret.encode(), body, "sha256").hexdigest()


@dataclass(frozen=True)
class Store:
    """A service's database."""

    url: str

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Run a statement that returns rows, on a connection of its own, and commit."""
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def wait_for(self, query: str, *values: object, count: int = 1) -> list[dict[str, Any]]:
        """Return the rows of a query once there are at least `count`. Raises as `until`."""
        return until(lambda: self.rows(query, *values), lambda rows: len(rows) >= count)


TO_BE_SENT = "SELECT 1 FROM notifications WHERE order_id = %s AND status IN ('queued', 'sending')"


@dataclass(frozen=True)
class Inbox:
    """The local inbox, through its API."""

    url: str

    def mails_to(self, address: str) -> list[EmailMessage]:
        """Return the mails to an address that have arrived so far. Raises OSError if the inbox does not answer."""
        return [self._mail(m["id"]) for m in self._messages() if address in m["recipients_envelope"]]

    def count(self) -> int:
        """Return the number of mails that have arrived, whatever their recipients."""
        return len(self._messages())

    def wait_for(self, address: str, count: int = 1) -> list[EmailMessage]:
        """Return the mails to an address once there are at least `count`. An inbox that does not answer is retried."""
        return until(lambda: self._look(address), lambda mails: len(mails) >= count)

    def all_of(self, address: str, order: str, notifier: Store, count: int = 1) -> list[EmailMessage]:
        """Return the mails to an address once there are at least `count` and no mail of the order is left to send.

        Without the second condition, one mail too many would still be in the queue and go unnoticed.
        """
        self.wait_for(address, count)
        until(lambda: notifier.rows(TO_BE_SENT, order), lambda rows: not rows)
        return self.mails_to(address)

    def _look(self, address: str) -> list[EmailMessage]:
        try:
            return self.mails_to(address)
        except OSError:
            return []

    def _messages(self) -> list[Any]:
        listed = self._get("/api/messages/")
        pages = range(2, listed["meta"]["pages_total"] + 1)
        return [*listed["data"], *(m for page in pages for m in self._get(f"/api/messages/?page={page}")["data"])]

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=TIMEOUT_S) as response:
            return json.load(response)

    def _mail(self, number: int) -> EmailMessage:
        with urllib.request.urlopen(f"{self.url}/api/messages/{number}.eml", timeout=TIMEOUT_S) as response:
            mail: EmailMessage = BytesParser(policy=default).parsebytes(response.read())
            return mail


@dataclass(frozen=True)
class Console:
    """The API of the console at `url`."""

    url: str
    token: str

    def ask(self, path: str, **parameters: str) -> Reply:
        """Get a path with query parameters, and with the console's token."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        shop = Shop(self.url, "")
        return shop.request("GET", path + query, None, {"Authorization": f"Bearer {self.token}"})

    def wait_for(self, path: str, wanted: Callable[[Any], bool], **parameters: str) -> Any:
        """Return the body of the answer once it is 200 and `wanted` is true of it; the answers before may be errors."""
        return until(
            lambda: self.ask(path, **parameters), lambda reply: reply.status == 200 and wanted(reply.body)
        ).body
