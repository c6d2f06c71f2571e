"""A person at the console's pages, with a browser that has cookies and no scripts."""

import http.client
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode, urlsplit


class Person:
    """A browser at the console at `url`, with cookies and without scripts. It sends `headers` with every request."""

    def __init__(self, url: str, **headers: str) -> None:
        self._address = urlsplit(url)
        self._headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.cookies: dict[str, str] = {}

    def at(self, url: str) -> "Person":
        """Return a browser at another replica, with the same cookies and without the extra headers."""
        other = Person(url)
        other.cookies = dict(self.cookies)
        return other

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, dict[str, str], str]:
        """Send a request, keep the cookies, and return status, headers by lower-case name, and text.

        Redirects are not followed.
        """
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
        """Yield the response to a GET without reading its body, for one that has no end; 20 s without data time out."""
        connection = http.client.HTTPConnection(self._address.hostname or "", self._address.port, timeout=20)
        connection.request("GET", path, None, self._all_headers())
        yield connection.getresponse()
        connection.close()

    def _all_headers(self) -> dict[str, str]:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Cookie": cookie, "Accept": "text/html", **self._headers}

    def csrf(self, path: str = "/login") -> str:
        """Return the CSRF token in the form of a page; empty if the page has none."""
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.ask("GET", path)[2])
        return found[1] if found else ""

    def log_in(self, user: str, password: str) -> int:
        """Send the login form and return the status: 303 if the login is accepted."""
        return self.ask("POST", "/login", {"csrf": self.csrf(), "user": user, "password": password, "next": "/"})[0]
