"""Who takes part in the tests' stories: the shop that posts, the stores and the inbox that are looked into."""

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
    """What `look` sees once it is what is wanted; fails with what was seen last when it never is."""
    end = time.monotonic() + seconds
    while not wanted(seen := look()):
        if time.monotonic() > end:
            raise AssertionError(f"still, after {seconds:g} s: {seen!r}")
        time.sleep(0.05)
    return seen


def new_order() -> str:
    """An order id no other test uses."""
    return f"T-{uuid.uuid4().hex[:12]}"


@dataclass(frozen=True)
class Reply:
    status: int
    body: Any
    headers: dict[str, str]


@dataclass
class Shop:
    """Posts to the gateway at `url`, signing with `secret`."""

    url: str
    secret: str
    headers: dict[str, str] = field(default_factory=dict)

    def post(self, kind: str, body: dict[str, Any], **headers: str) -> Reply:
        return self.post_bytes(f"/webhooks/{kind}", json.dumps(body, ensure_ascii=False).encode(), **headers)

    def post_bytes(self, path: str, body: bytes, **headers: str) -> Reply:
        """Post these very bytes; headers given here win over those a sender adds (underscores are dashes)."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        signed = {"Content-Type": "application/json", "X-Webhook-Signature": self.sign(body)}
        return self.request("POST", path, body, {**signed, **given})

    def request(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
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
    """A service's database, looked into."""

    url: str

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def wait_for(self, query: str, *values: object, count: int = 1) -> list[dict[str, Any]]:
        """The rows of a query once there are at least so many."""
        return until(lambda: self.rows(query, *values), lambda rows: len(rows) >= count)


TO_BE_SENT = "SELECT 1 FROM notifications WHERE order_id = %s AND status IN ('queued', 'sending')"


@dataclass(frozen=True)
class Inbox:
    """The local inbox, through its API."""

    url: str

    def mails_to(self, address: str) -> list[EmailMessage]:
        return [self._mail(m["id"]) for m in self._messages() if address in m["recipients_envelope"]]

    def count(self) -> int:
        """How many mails have arrived, whoever they are for."""
        return len(self._messages())

    def wait_for(self, address: str, count: int = 1) -> list[EmailMessage]:
        """The mails to an address once there are at least so many; an inbox that is away may come back."""
        return until(lambda: self._look(address), lambda mails: len(mails) >= count)

    def all_of(self, address: str, order: str, notifier: Store, count: int = 1) -> list[EmailMessage]:
        """The mails to an address once nothing more of the order's is to be sent.

        Counted when the first arrives, one mail too many would still be in the queue and pass unseen.
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
    """The console at `url`, asked with its token."""

    url: str
    token: str

    def ask(self, path: str, **parameters: str) -> Reply:
        query = f"?{urlencode(parameters)}" if parameters else ""
        shop = Shop(self.url, "")
        return shop.request("GET", path + query, None, {"Authorization": f"Bearer {self.token}"})

    def wait_for(self, path: str, wanted: Callable[[Any], bool], **parameters: str) -> Any:
        """The answer once it is what is wanted; until then it may be that there is none."""
        return until(
            lambda: self.ask(path, **parameters), lambda reply: reply.status == 200 and wanted(reply.body)
        ).body
