"""The providers' sample payloads as requests: authenticated or not, whole or damaged."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from providers import catalogue
from providers.contract import Provider, Received
from simulator import signing
from stream.events import Micros

SAMPLES = Path(__file__).parent / "samples"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
SECRET = b"6f1a" * 12
"""A secret like the generated ones: hexadecimal, which is valid base64 as well."""
YEAR = 365 * 24 * 3600 * 1_000_000
PLACES = 40
"""The number of fields of a payload that `damaged` changes, the outermost first."""


@dataclass(frozen=True)
class Post:
    """A request of a provider. A token in the URL, if there is one, is the last segment of `path`."""

    path: str
    body: bytes
    headers: dict[str, str]
    content_type: str = JSON

    def received(self, at: int) -> Received:
        """Return the request as the gateway passes it to the provider; `at` is in microseconds."""
        base, token = catalogue.split(self.path) or (self.path, None)
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Received(base, {**headers, "content-type": self.content_type}, self.body, Micros(at), token)


def sample(provider: str, name: str) -> bytes:
    """Return the bytes of a sample; `name` is its file name."""
    return (SAMPLES / provider / name).read_bytes()


def samples(provider: str | None = None) -> list[Path]:
    """Return the files of a provider's samples, or of all providers', `vectors.json` included."""
    found = (SAMPLES / provider if provider else SAMPLES).glob("*" if provider else "*/*")
    return sorted(path for path in found if path.suffix in (".json", ".raw", ".form"))


def authenticated(row: Provider, path: str, body: bytes, secret: bytes, at: int, content_type: str = JSON) -> Post:
    """Return the request that a provider would send at this time (microseconds): signed, else with its token."""
    headers = signing.sign(row, body, secret, at)
    by_token = row.takes_token and not headers
    return Post(f"{path}/{secret.decode()}" if by_token else path, body, headers, content_type)


def authentications(row: Provider, path: str, body: bytes, secret: bytes, at: int) -> Iterator[tuple[str, Post]]:
    """Yield (description, request) of a body authenticated in the right way, first, and in wrong ways."""
    whole = authenticated(row, path, body, secret, at)
    yield "proved", whole
    yield "unsigned", Post(path, body, {})
    yield "wrong secret", authenticated(row, path, body, b"another secret", at)
    yield "old", authenticated(row, path, body, secret, at - YEAR)
    yield "from the future", authenticated(row, path, body, secret, at + YEAR)
    yield "empty headers", Post(path, body, dict.fromkeys(whole.headers, ""))
    yield "odd headers", Post(path, body, dict.fromkeys(whole.headers, "t=,v1=\xe9,,="))
    for other in catalogue.ROWS:
        if other is not row:
            yield f"as {other.name}", authenticated(other, path, body, secret, at)
    if row.takes_forms:
        form = _as_form(body)
        yield "form", authenticated(row, path, form, secret, at, FORM)
        yield "not the form it says", authenticated(row, path, body, secret, at, FORM)


def damaged(body: bytes, places: int = PLACES) -> Iterator[tuple[str, bytes]]:
    """Yield (description, body) of a body with one thing wrong in it; `places` limits the fields that are changed."""
    yield "empty", b""
    yield "half", body[: len(body) // 2]
    yield "not UTF-8", body.replace(b":", b":\xff", 1)
    yield "deep", b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"
    yield "a list", b"[" + body + b"]"
    yield "percent", body + b"&a=%zz"
    try:
        published = json.loads(body)
    except ValueError:
        return
    for place in list(_places(published))[:places]:
        where = ".".join(map(str, place))
        yield f"without {where}", json.dumps(_changed(published, place, None, remove=True)).encode()
        for name, value in WRONG.items():
            yield f"{where} is {name}", json.dumps(_changed(published, place, value)).encode()
        huge = json.dumps(_changed(published, place, "HUGE")).encode()
        yield f"{where} is huge", huge.replace(b'"HUGE"', b"9" * 5000)
        yield f"{where} is infinite", huge.replace(b'"HUGE"', b"1e999")
        key = json.dumps(place[-1]).encode() + b": "
        yield f"{where} twice", json.dumps(published).encode().replace(key, key + b"1, " + key, 1)


WRONG: dict[str, Any] = {
    "null": None,
    "a list": [[]],
    "an object": {"a": {}},
    "a number": 10**18,
    "negative": -1,
    "a fraction": 1.5,
    "true": True,
    "empty": "",
    "a NUL": "\x00",
    "half a surrogate": "\ud800",
    "long": "x" * 3000,
    "a mark": "../%00<script>'\";",
}


def _places(published: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each field of a payload, those of an object before those of its parts."""
    fields = list(published.items()) if isinstance(published, dict) else []
    yield from ((*above, name) for name, _ in fields)
    for name, value in fields:
        yield from _places(value, (*above, name))


def _changed(published: Any, place: tuple[Any, ...], value: Any, *, remove: bool = False) -> Any:
    name, *rest = place
    if rest:
        return {**published, name: _changed(published[name], tuple(rest), value, remove=remove)}
    return {key: old for key, old in published.items() if key != name} if remove else {**published, name: value}


def _as_form(body: bytes) -> bytes:
    try:
        published = json.loads(body)
    except ValueError:
        return body
    return urlencode(published if isinstance(published, dict) else {"a": published}).encode()
