"""Every page in a real browser with the real stack behind: it is readable by everybody, and shows what happened."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from console.pages.registry import PAGES
from console.web.rendering.paths import ORDER
from tests.actors import Console, Shop, Store, new_order
from tests.browser.conftest import LOOKS, Visit, mail_of, shoot

PLAIN = sorted({page.path for page in PAGES if "{" not in page.path} - {ORDER})
SERIOUS = ("serious", "critical")


@pytest.mark.parametrize("look", LOOKS)
def test_no_page_has_a_serious_fault(
    visit: Visit, look: str, paid_order: str, issue: str, system: dict[str, str], console: Console
) -> None:
    webhook = console.ask(f"/api/orders/{paid_order}").body["webhooks"][0]["webhookId"]
    faults: dict[str, object] = {}
    page = visit("/", look)
    for path in (
        *PLAIN,
        f"/search?q={paid_order.lower()}@example.test",
        f"/orders/{paid_order}",
        f"{ORDER}?id={paid_order}",
        f"/webhooks/{webhook}",
        f"/orders/{paid_order}/why/paid_amount",
        f"/issues/{issue}",
        f"/mails/{mail_of(system, paid_order)}",
    ):
        response = page.goto(path)
        assert response is not None
        assert response.status == 200, path
        shoot(page, f"{picture(path)}-{look}")
        found = [rule for rule in Axe().run(page).response["violations"] if rule["impact"] in SERIOUS]
        if found:
            faults[path] = [(rule["id"], rule["nodes"][0]["html"]) for rule in found]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults[f"{path} scrolls sideways"] = look

    assert not faults


def picture(path: str) -> str:
    """The name of a page's picture: its section, `one` for a page of one thing, `why` for the origin of a value."""
    section, _, one = path.split("?", maxsplit=1)[0].strip("/").partition("/")
    kind = "why" if "/why/" in one else "one"
    return f"{section}-{kind}" if one else section or "overview"


def test_the_login_page_has_no_serious_fault_either(visit: Visit) -> None:
    page = visit("/login", "dark", login=False)

    found = [rule["id"] for rule in Axe().run(page).response["violations"] if rule["impact"] in SERIOUS]

    shoot(page, "login-dark")
    assert not found


def test_i_paid_and_got_no_mail_is_answered_in_one_search(visit: Visit, paid_order: str) -> None:
    page = visit("/")

    page.keyboard.press("/")
    page.keyboard.type(f"{paid_order.lower()}@example.test")
    page.keyboard.press("Enter")
    page.get_by_role("link", name=paid_order).first.click()

    expect(page.get_by_role("heading", level=1)).to_contain_text(paid_order)
    expect(page.locator(".line")).to_contain_text("PaymentCompleted sent to the customer")
    expect(page.locator(".line")).to_contain_text("a request of Generic webhook was refused: invalid_signature")
    expect(page.locator("main")).to_contain_text("58,000 KRW")


def test_an_order_leads_to_its_page_at_once_and_to_the_origin_of_its_values(visit: Visit, paid_order: str) -> None:
    page = visit(f"/search?q={paid_order}")

    page.get_by_role("link", name="why? Paid", exact=True).click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Paid: where it comes from")
    expect(page.locator("main")).to_contain_text("SHA-256")


def test_a_payload_is_masked_until_an_auditor_asks_and_that_is_recorded(
    visit: Visit, paid_order: str, system: dict[str, str], console: Console
) -> None:
    webhooks = console.ask(f"/api/orders/{paid_order}").body["webhooks"]
    (webhook,) = [row["webhookId"] for row in webhooks if row["type"] == "PAYMENT_COMPLETED"]
    page = visit(f"/webhooks/{webhook}")
    expect(page.locator(".tree")).to_contain_text("************1111")

    page.get_by_role("button", name="Show unmasked").click()

    expect(page.locator(".tree")).to_contain_text("4111111111111111")
    page.goto(f"/webhooks/{webhook}")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download the bytes").click()
    assert b"4111111111111111" in downloading.value.path().read_bytes()
    recorded = actions_on(system, webhook)
    assert {(row["action"], row["result"]) for row in recorded} == {
        ("webhook.unmask", "requested"),
        ("webhook.unmask", "done"),
        ("webhook.download", "requested"),
        ("webhook.download", "done"),
    }
    assert {(row["user_name"], row["role"]) for row in recorded} == {("admin", "auditor")}


def test_the_overview_says_what_is_wrong_and_follows_by_itself(visit: Visit, paid_order: str, shop: Shop) -> None:
    page = visit("/")
    expect(page.locator(".alarms")).to_be_visible()
    expect(page.locator("#services")).to_contain_text("payment")
    accepted = page.locator(".figure dd").first
    before = accepted.inner_text()

    shop.post("order", {"orderId": new_order(), "customerId": "C-78"})

    expect(accepted).not_to_have_text(before, timeout=30_000)
    assert before.replace(",", "").isdigit()


def test_language_and_time_zone_are_chosen(visit: Visit, paid_order: str) -> None:
    page = visit(f"/orders/{paid_order}")
    assert page.locator("html").get_attribute("lang") == "en"

    page.locator("details.menu summary").click()
    page.select_option("[name=language]", "ko")
    page.select_option("[name=zone]", "UTC")
    page.get_by_role("button", name="Save").click()

    assert page.locator("html").get_attribute("lang") == "ko"
    time = page.locator("main time").first
    assert (time.get_attribute("title") or "")[:19] == time.inner_text()


def actions_on(system: dict[str, str], target: str) -> list[dict[str, object]]:
    """The audit of a webhook in the console's store, once both records of both actions are there."""
    store = Store(system["CONSOLE_DATABASE_URL"])
    return store.wait_for("SELECT * FROM actions WHERE target = %s", target, count=4)


def test_the_figures_of_the_overview_stand_two_in_a_row_on_a_telephone(visit: Visit) -> None:
    page = visit("/", "phone")

    shoot(page, "overview-phone")
    assert in_the_first_row(page, ".figure") == 2


def test_the_labels_of_filters_are_at_one_height(visit: Visit) -> None:
    page = visit("/quarantine")

    shoot(page, "quarantine-filters")
    assert in_the_first_row(page, "form.filters label") == 3


def test_the_button_below_an_empty_list_has_a_gap(visit: Visit) -> None:
    page = visit("/audit?user=nobody-at-all")

    shoot(page, "audit-empty")
    gap = page.evaluate(
        """() => document.querySelector('main form:last-of-type').getBoundingClientRect().top
          - document.querySelector('.empty').getBoundingClientRect().bottom"""
    )
    assert gap >= 10


def in_the_first_row(page: Page, selector: str) -> int:
    """Return how many of the elements have their upper edge where the first of them has it."""
    tops: list[float] = page.locator(selector).evaluate_all(
        "found => found.map(one => one.getBoundingClientRect().top)"
    )
    return sum(abs(top - tops[0]) < 1 for top in tops)
