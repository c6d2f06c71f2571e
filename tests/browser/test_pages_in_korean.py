"""Every page is in the reader's language: on a Korean page no English is seen but names, ids, codes and raw data."""

import re

import pytest
from playwright.sync_api import Page

from console.labels import PROVIDERS
from console.pages.registry import PAGES
from console.web.rendering.paths import ORDER
from local.services import SERVICES
from providers import catalogue
from stream.events import ids, topics
from tests.actors import Console, Shop, Store, new_order, until
from tests.browser.conftest import Visit, mail_of, shoot
from tests.failing import post

PLAIN = sorted({page.path for page in PAGES if "{" not in page.path} - {ORDER})
PRODUCTS = frozenset(
    "hookstream Kafka Postgres SMTP Stripe API CSV JSON HMAC UTC ID zip Webhooks Standard Message Bearer admin".split()
)
"""Names of products, protocols and formats, which Korean texts use as they are; and the user who looks."""
NAMES = frozenset(
    word
    for text in (
        *PRODUCTS,
        *(service.name for service in SERVICES),
        *(service.name for service in topics.SERVICES),
        *catalogue.BY_NAME,
        *(label["en"] for label in PROVIDERS.values()),
    )
    for word in re.split(r"\W+", text)
)
QUOTED, CAPITALS = r"'[^']*'|\"[^\"]*\"", r"(?<![A-Za-z])[A-Z][A-Z0-9_-]+(?![A-Za-z])"
CODE = re.compile(rf"{QUOTED}|\S*(?:[\d_./@=%*&?#<>]|[a-z][A-Z])\S*|{CAPITALS}")
"""Codes: a quoted value; a word with a digit, an underscore, a dot …, in CamelCase, or in capitals like a setting."""
REFUSED = re.compile("거절됨.*끝낼 로그인도 없습니다")
WORD = re.compile(r"[A-Za-z]{2,}")
SEEN = """() => {
  const raw = '[translate=no], code, pre, .id, .mono, time, script, style, .brand, .avatar, .who, option, svg title'
  const texts = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement
    if (parent && !parent.closest(raw)) texts.push(walker.currentNode.textContent)
  }
  for (const element of document.querySelectorAll('[aria-label], [placeholder], [data-confirm]')) {
    for (const name of ['aria-label', 'placeholder', 'data-confirm']) {
      if (element.hasAttribute(name)) texts.push(element.getAttribute(name))
    }
  }
  for (const option of document.querySelectorAll('option')) {
    if (!option.closest('[name=zone], [name=language], [translate=no]')) texts.push(option.textContent)
  }
  return texts.map(text => text.trim()).filter(Boolean)
}"""
"""The texts that a person sees or hears, without raw data: marked as not to be translated, codes, ids, times."""


def english(page: Page) -> list[str]:
    """The texts of a page with an English word that is no name and no code."""
    texts: list[str] = page.evaluate(SEEN)
    return [text for text in texts if set(WORD.findall(CODE.sub(" ", text))) - NAMES]


@pytest.fixture(scope="module")
def things(system: dict[str, str], paid_order: str, issue: str) -> list[str]:
    """The paths of pages of one thing each, after things have happened that every page can tell of."""
    shop = Shop(system["GATEWAY_URL"], system["WEBHOOK_SECRET"])
    console = Console(system["CONSOLE_URL"], system["CONSOLE_TOKEN"])
    body = f'{{"orderId": "{new_order()}", "status": "danced"}}'.encode()
    shop.post_bytes("/webhooks/payment", body)
    quarantined = ids.unreadable_body_id("generic", body)
    console.wait_for(f"/api/webhooks/{quarantined}", lambda row: row["status"] == "FAILED")
    nowhere = new_order()
    shop.post("payment", {"orderId": nowhere, "status": "completed", "amount": 58000})
    shop.post(
        "shipping", {"orderId": nowhere, "status": "in_transit", "carrier": "CJ", "trackingNumber": "123456789012"}
    )
    shop.post("payment", {"orderId": nowhere, "status": "completed", "amount": 58000})
    refused = new_order()
    Shop(shop.url, "not the shop's secret").post("payment", {"orderId": refused, "status": "completed"})
    log = Store(system["CONSOLE_DATABASE_URL"])
    log.wait_for("SELECT 1 FROM refusals WHERE %s = ANY (order_ids)", refused)
    waiting = new_order()
    shop.post("order", {"orderId": waiting, "customerId": f"C-{waiting}"})
    shop.post("payment", {"orderId": waiting, "status": "completed", "amount": 58000})
    unusable = new_order()
    shop.post("order", {"orderId": unusable, "customerEmail": "nobody at all"})
    shop.post("payment", {"orderId": unusable, "status": "completed", "amount": 58000})
    for order in (nowhere, unusable, waiting):
        Store(system["NOTIFIER_DATABASE_URL"]).wait_for("SELECT 1 FROM notifications WHERE order_id = %s", order)
        console.wait_for(f"/api/orders/{order}", lambda life: life.get("state"))
    webhook = console.ask(f"/api/orders/{paid_order}").body["webhooks"][0]["webhookId"]
    return [
        f"/search?q={paid_order.lower()}@example.test",
        f"/orders/{paid_order}",
        f"/orders/{nowhere}",
        "/customers/C-77",
        f"/orders/{unusable}",
        f"/orders/{refused}",
        f"/orders/{waiting}",
        f"/mails/{mail_of(system, waiting)}",
        f"/webhooks/{webhook}",
        f"/webhooks/{quarantined}",
        f"/orders/{paid_order}/why/paid_amount",
        f"/orders/{nowhere}/why/shipping_status",
        f"/issues/{issue}",
        f"/mails/{mail_of(system, paid_order)}",
        f"/mails/{mail_of(system, unusable)}",
        "/mails?status=waiting",
        "/quarantine?hours=1&cause=&provider=",
        "/issues?state=every",
        "/issues?state=",
        "/quarantine?hours=3",
        "/statistics?from=tomorrow",
        "/nothing",
        *(f"/replays?service={service.name}" for service in topics.SERVICES),
    ]


def test_a_korean_page_has_no_english_text(
    visit: Visit, things: list[str], system: dict[str, str], complaints: list[str]
) -> None:
    page = visit("/", "phone")
    page.on("dialog", lambda dialog: dialog.accept())
    end_sessions_of(page, "nobody")
    shown = page.locator("[role=status]").first.inner_text()
    until(
        lambda: (page.goto("/audit"), page.content())[1],
        lambda content: bool(REFUSED.search(content)),
    )
    post(system, "refund", "/pause", {"reason": "a migration", "by": "kim"})

    try:
        found = {path: texts for path in (*PLAIN, *things) if page.goto(path) and (texts := english(page))}
        page.goto("/providers")
        shoot(page, "providers-paused-phone")
    finally:
        post(system, "refund", "/resume", {})

    forget_refusals(complaints)
    assert shown == "nobody 이름의 사용자가 없어 끝낼 로그인도 없습니다."
    assert not found


def test_an_english_page_has_no_korean_text(visit: Visit, things: list[str], complaints: list[str]) -> None:
    page = visit("/")
    korean = re.compile("[가-힣]")

    found = {}
    for path in (*PLAIN, *things):
        page.goto(path)
        texts = [text for text in page.evaluate(SEEN) if korean.search(text) and text != "한국어"]
        if texts:
            found[path] = texts

    forget_refusals(complaints)
    assert not found


def test_an_order_that_the_shop_never_posted_says_what_to_post(visit: Visit, things: list[str]) -> None:
    page = visit(things[2])

    assert "The shop has not posted this order" in page.locator("main").inner_text()
    shoot(page, "order-not-posted")


def test_every_label_of_the_chart_is_within_it_on_a_telephone(visit: Visit, things: list[str]) -> None:
    page = visit("/", "phone")

    outside = page.evaluate(
        """() => [...document.querySelectorAll('svg.chart text')].filter(text => {
          const box = text.getBBox(), view = text.ownerSVGElement.viewBox.baseVal
          return box.x < 0 || box.y < 0 || box.x + box.width > view.width || box.y + box.height > view.height
        }).map(text => text.textContent)"""
    )

    assert page.locator("svg.chart text").count() > 2
    assert outside == []
    assert things


def forget_refusals(complaints: list[str]) -> None:
    """Forget what the browser says about pages that are answered 400 or 404."""
    complaints[:] = [text for text in complaints if "status of 40" not in text]


def end_sessions_of(page: Page, name: str) -> None:
    """Press the button that ends all sessions of a user, on the page of the audit."""
    page.goto(f"/audit?user={name}")
    page.locator("form[action='/sessions/end'] button").click()
    page.wait_for_load_state()
