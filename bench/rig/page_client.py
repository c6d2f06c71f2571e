"""Asks for pages over one kept connection, as a browser that has logged in."""

import re
import time
from http.client import HTTPConnection, RemoteDisconnected
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SEE_OTHER = 303


class Answer(NamedTuple):
    """An answer: status, text, the `Location` header or an empty text, and the milliseconds until all was received."""

    status: int
    text: str
    location: str
    took_ms: float


class PageClient:
    """One person's browser, without scripts: a kept connection and cookies. Redirects are not followed."""

    def __init__(self, url: str) -> None:
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
        self._cookies: dict[str, str] = {}

    def log_in(self, user: str, password: str) -> None:
        """Send the login form and keep the session's cookie. Raises RuntimeError if the login is refused."""
        token = CSRF.search(self.ask("/login").text)
        fields = {"csrf": token[1] if token else "", "user": user, "password": password, "next": "/"}
        answer = self.ask("/login", urlencode(fields))
        if answer.status != SEE_OTHER:
            raise RuntimeError(f"the console answers {answer.status} to the login")

    def ask(self, path: str, form: str | None = None) -> Answer:
        """Get a page, or post `form`, which is URL-encoded; on a closed connection, once more on a new one."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        try:
            began = time.perf_counter()
            self._connection.request("GET" if form is None else "POST", path, form, headers | (FORM if form else {}))
            response = self._connection.getresponse()
        except RemoteDisconnected:  # the connection was idle for too long; the next request opens another one
            self._connection.close()
            return self.ask(path, form)
        text = response.read().decode()
        took_ms = (time.perf_counter() - began) * 1000
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition("=")
            self._cookies[name] = value.partition(";")[0]
        return Answer(response.status, text, response.headers.get("Location", ""), took_ms)
