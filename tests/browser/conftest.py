"""Fixtures with a browser and the console of a real system. Screenshots go to `.screenshots/`, which git ignores.

Without a browser these tests are skipped with the reason, unless BROWSER=required, as in `.ci/run`.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from stream.state.retry_policy import MAX_RETRIES
from tests.actors import Console, Shop, Store, new_order
from tests.failing import a_failed_event, engine, pay, refusing

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
SCREENSHOTS = Path(__file__).parents[2] / ".screenshots"
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light", "locale": "en-US"},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark", "locale": "ko-KR"},
    "phone": {"viewport": {"width": 375, "height": 760}, "color_scheme": "light", "locale": "ko-KR"},
}
"""By name: a wide screen in light colours and English, one in dark colours and Korean, and a telephone of 375 px."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium of the machine. While Playwright runs, no other test of this thread can use asyncio."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        reason = f"no browser: none of {', '.join(NAMES)} is installed (Debian: apt install chromium)"
        if os.environ.get("BROWSER") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


Visit = Callable[..., Page]


@pytest.fixture
def complaints() -> list[str]:
    """The errors in the browser's console so far: of scripts, and of content that the policy blocked."""
    return []


@pytest.fixture
def visit(browser: Browser, system: dict[str, str], complaints: list[str]) -> Iterator[Visit]:
    """A function that opens a page of the console as the local admin, in one of LOOKS, or with `login=False` as nobody.

    The test fails at its end if there are complaints, except about a connection that the console cut.
    """
    contexts: list[BrowserContext] = []

    def opened(path: str = "/", look: str = "light", *, login: bool = True) -> Page:
        context = browser.new_context(**LOOKS[look], base_url=system["CONSOLE_URL"], timezone_id="Asia/Seoul")
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        if login:
            log_in(page, system["CONSOLE_USER"], system["CONSOLE_PASSWORD"])
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not [text for text in complaints if "ERR_INCOMPLETE_CHUNKED" not in text]


def log_in(page: Page, user: str, password: str) -> None:
    """Fill and send the login form, and wait until the page has left it."""
    page.fill("[name=user]", user)
    page.fill("[name=password]", password)
    page.click("main button")
    page.wait_for_url(lambda url: "/login" not in url)


def shoot(page: Page, name: str) -> None:
    """Save a screenshot of the whole page as NAME.png."""
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@pytest.fixture(scope="session")
def paid_order(system: dict[str, str]) -> str:
    """The id of an order with a payment, mails, and one webhook refused for its signature, all known to the console."""
    order = new_order()
    shop = Shop(system["GATEWAY_URL"], system["WEBHOOK_SECRET"])
    shop.post("order", {"orderId": order, "customerEmail": f"{order.lower()}@example.test", "customerId": "C-77"})
    paid = {
        "orderId": order,
        "status": "completed",
        "amount": 58000,
        "paymentMethod": "card",
        "cardNumber": "4111111111111111",
    }
    shop.post("payment", paid)
    Shop(system["GATEWAY_URL"], "a secret of somebody else").post("payment", {**paid, "amount": 1})
    console = Console(system["CONSOLE_URL"], system["CONSOLE_TOKEN"])
    console.wait_for(f"/api/orders/{order}", lambda life: life["mails"] and life.get("state"))
    console.wait_for("/api/refusals", lambda page: page["refusals"], order=order)
    return order


@pytest.fixture(scope="session")
def issue(system: dict[str, str]) -> str:
    """The id of an issue with at least one dead event."""
    order, owner, payments = new_order(), engine(system), Store(system["PAYMENT_DATABASE_URL"])
    with refusing(owner, order):
        pay(Shop(system["GATEWAY_URL"], system["WEBHOOK_SECRET"]), order)
        event = a_failed_event(payments, order, "retrying", MAX_RETRIES)
        payments.rows("UPDATE retries SET next_attempt_at = now() WHERE key = %s::bytea RETURNING 1", order)
        payments.wait_for("SELECT 1 FROM retries WHERE status = 'dead' AND key = %s::bytea", order)
    owner.dispose()
    found = Store(system["CONSOLE_DATABASE_URL"]).wait_for(
        "SELECT issue_id::text FROM issue_events WHERE event_id = %s::uuid", event
    )
    return str(found[0]["issue_id"])


def mail_of(system: dict[str, str], order: str) -> str:
    """Return the id of the first mail to an order's customer, once there is one."""
    query = "SELECT notification_id::text AS id FROM notifications WHERE order_id = %s AND audience = 'customer'"
    return str(Store(system["NOTIFIER_DATABASE_URL"]).wait_for(query, order)[0]["id"])
