"""Somebody at the console's pages: a browser without scripts, and with a cookie jar."""

import http.client
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode, urlsplit


class Person:
    """Somebody with a cookie jar and no browser."""

    def __init__(self, url: str, **headers: str) -> None:
        self._address = urlsplit(url)
        self._headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.cookies: dict[str, str] = {}

    def at(self, url: str) -> "Person":
        """The same browser at another replica: with the same cookies."""
        other = Person(url)
        other.cookies = dict(self.cookies)
        return other

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection(self._address.hostname or "", self._address.port, timeout=30)
        headers = self._all_headers()
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, urlencode(form) if form is not None else None, headers)
        response = connection.getresponse()
        body = response.read().decode(errors="replace")
        for value in response.headers.get_all("Set-Cookie") or []:
            name, _, rest = value.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        sent = {name.lower(): value for name, value in response.getheaders()}
        connection.close()
        return response.status, sent, body

    @contextmanager
    def opened(self, path: str) -> Iterator[http.client.HTTPResponse]:
        """A response that is being sent; nothing for 20 s is an error."""
        connection = http.client.HTTPConnection(self._address.hostname or "", self._address.port, timeout=20)
        connection.request("GET", path, None, self._all_headers())
        yield connection.getresponse()
        connection.close()

    def _all_headers(self) -> dict[str, str]:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Cookie": cookie, "Accept": "text/html", **self._headers}

    def csrf(self, path: str = "/login") -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.ask("GET", path)[2])
        return found[1] if found else ""

    def log_in(self, user: str, password: str) -> int:
        return self.ask("POST", "/login", {"csrf": self.csrf(), "user": user, "password": password, "next": "/"})[0]
