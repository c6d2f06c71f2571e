"""Every sample of every provider, whole and damaged, proved and not: a 2xx or a 4xx that says why, and never a 500."""

import pytest

from gateway.http.refusals import STATUS
from providers import catalogue
from providers.contract import Provider
from runtime import clock
from tests.payloads import SECRET, Post, authenticated, authentications, damaged, samples
from tests.posting import Answer, post_all

pytestmark = pytest.mark.long

ROWS = [pytest.param(row, path, id=f"{row.name} {path}") for row in catalogue.ROWS for path in row.paths]
FEW = 6
"""So many places of a payload are damaged here; the others in the unit tests."""


def secret_of(row: Provider, system: dict[str, str]) -> bytes:
    """The provider's secret in this system; any, where it has none and everything is refused."""
    return system.get(row.secret_setting, SECRET.decode()).split(",")[0].encode()


def check(system: dict[str, str], row: Provider, posts: list[tuple[str, Post]]) -> None:
    answers = post_all(system["GATEWAY_URL"], [post for _, post in posts])
    wrong = [
        (name, post.path, answer)
        for (name, post), answer in zip(posts, answers, strict=True)
        if not is_said(row, answer)
    ]
    assert wrong == []


def is_said(row: Provider, answer: Answer) -> bool:
    """Whether it is a success, or a refusal in the provider's words or with a cause from the list."""
    if 200 <= answer.status < 300:
        return True
    if any((answer.status, answer.raw) == (words.status, words.body) for words in row.refusals.values()):
        return True
    published = answer.body
    return (
        400 <= answer.status < 500
        and isinstance(published, dict)
        and STATUS.get(published.get("error", "")) == answer.status
    )


@pytest.mark.parametrize(("row", "path"), ROWS)
def test_its_samples_are_answered_however_they_are_proved(row: Provider, path: str, system: dict[str, str]) -> None:
    secret, at = secret_of(row, system), clock.now()

    posts = [
        (f"{sample.name} {way}", post)
        for sample in samples(row.name)
        for way, post in authentications(row, path, sample.read_bytes(), secret, at)
    ]

    check(system, row, posts)


@pytest.mark.parametrize(("row", "path"), ROWS)
def test_its_samples_are_answered_however_they_are_damaged(row: Provider, path: str, system: dict[str, str]) -> None:
    secret, at = secret_of(row, system), clock.now()

    posts = [
        (f"{sample.name} {damage}", authenticated(row, path, body, secret, at))
        for sample in samples(row.name)
        for damage, body in damaged(sample.read_bytes(), FEW)
    ]

    check(system, row, posts)


@pytest.mark.parametrize(("row", "path"), ROWS)
def test_what_others_send_is_answered_as_well(row: Provider, path: str, system: dict[str, str]) -> None:
    secret, at = secret_of(row, system), clock.now()

    posts = [(str(sample), authenticated(row, path, sample.read_bytes(), secret, at)) for sample in samples()]

    check(system, row, posts)
