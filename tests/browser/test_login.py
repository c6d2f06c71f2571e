"""Who gets in: sessions, roles, forged forms, guessed passwords; and how the pages are sent."""

import re

import pytest
from playwright.sync_api import expect

from console.web.rendering.renderer import POLICY
from tests.browser.conftest import Visit, log_in
from tests.person import Person


@pytest.fixture
def person(system: dict[str, str]) -> Person:
    return Person(system["CONSOLE_URL"])


def test_a_page_leads_to_the_login_and_from_there_back(visit: Visit, system: dict[str, str]) -> None:
    page = visit("/webhooks?status=FAILED", login=False)
    expect(page).to_have_url(re.compile("/login"))

    log_in(page, system["CONSOLE_USER"], system["CONSOLE_PASSWORD"])

    expect(page).to_have_url(re.compile(r"/webhooks\?status=FAILED$"))
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Log out").click()
    page.goto("/webhooks")
    expect(page).to_have_url(re.compile("/login"))


def test_a_session_gets_a_new_id_at_login_and_ends_with_the_logout(person: Person, system: dict[str, str]) -> None:
    before = person.csrf()
    assert person.log_in(system["CONSOLE_USER"], system["CONSOLE_PASSWORD"]) == 303
    stored = dict(person.cookies)
    after = person.csrf("/")
    assert after != before

    assert person.ask("POST", "/logout", {"csrf": after})[0] == 303
    person.cookies = stored

    assert person.ask("GET", "/")[0] == 303


def test_a_form_without_the_token_of_its_session_does_nothing(person: Person, system: dict[str, str]) -> None:
    person.log_in(system["CONSOLE_USER"], system["CONSOLE_PASSWORD"])
    stranger = Person(system["CONSOLE_URL"])

    for token in ("", "0" * 64, stranger.csrf()):
        status, _, body = person.ask("POST", "/webhooks/x/unmask", {"csrf": token})
        assert (status, "csrf" in body) == (403, True)
        assert person.ask("POST", "/logout", {"csrf": token})[0] == 403
    assert person.ask("GET", "/")[0] == 200


def test_wrong_passwords_and_unknown_users_are_answered_alike_and_limited(person: Person) -> None:
    answers = [person.ask("POST", "/login", {"csrf": person.csrf(), "user": "mallory", "password": "guess"})]
    while answers[-1][0] == 401:
        answers.append(person.ask("POST", "/login", {"csrf": person.csrf(), "user": "mallory", "password": "guess"}))

    assert len(answers) == 6
    assert answers[-1][0] == 429
    assert int(answers[-1][1]["retry-after"]) > 0


def test_pages_are_sent_with_a_policy_that_permits_nothing_inline(person: Person) -> None:
    _, headers, body = person.ask("GET", "/login")

    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert "<script>" not in body
    assert " style=" not in body
    assert " onclick=" not in body
    (script,) = set(re.findall(r'src="(/static/app\.[0-9a-f]+\.js)"', body))
    assert "immutable" in person.ask("GET", script)[1]["cache-control"]


@pytest.mark.parametrize(
    "path", ["/nothing", "/orders/none-of-ours", "/webhooks/none-of-ours", "/webhooks?limit=no&x=1"]
)
def test_what_does_not_exist_is_said_on_a_page(person: Person, system: dict[str, str], path: str) -> None:
    person.log_in(system["CONSOLE_USER"], system["CONSOLE_PASSWORD"])

    status, _, body = person.ask("GET", path)

    assert status in (400, 404)
    assert "<h1>" in body
