"""What an operator does on the pages, with the real stack behind: each action, and what it has changed."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from providers.stripe import webhook as stripe
from runtime import clock
from simulator import signing
from stream.events import ids
from stream.state.retry_policy import MAX_RETRIES
from tests.actors import Console, Shop, Store, new_order, until
from tests.browser.conftest import Visit, shoot
from tests.contract.posting import post as post_to
from tests.failing import a_failed_event, engine, pay, post, refusing
from tests.integration.test_pauses import session

LAST = 1 + MAX_RETRIES


@pytest.fixture
def owner(system: dict[str, str]) -> Iterator[Engine]:
    made = engine(system)
    yield made
    made.dispose()


def confirmed(page: Page) -> None:
    """Answer every question of the page with yes."""
    page.on("dialog", lambda dialog: dialog.accept())


def dead(system: dict[str, str], shop: Shop, payments: Store, owner: Engine, *orders: str) -> None:
    """Let the payments of these orders die, as after a bad deploy."""
    with refusing(owner, *orders):
        for order in orders:
            pay(shop, order)
        for order in orders:
            a_failed_event(payments, order, "retrying", MAX_RETRIES)
        rows = "UPDATE retries SET next_attempt_at = now() WHERE key = ANY (%s::bytea[]) RETURNING 1"
        payments.rows(rows, [order.encode() for order in orders])
        gone = "SELECT 1 FROM retries WHERE status = 'dead' AND key = ANY (%s::bytea[])"
        payments.wait_for(gone, [order.encode() for order in orders], count=len(orders))


def test_a_bad_deploy_is_an_issue_that_is_acknowledged_redriven_and_resolved(
    visit: Visit, shop: Shop, payments: Store, console: Console, owner: Engine, system: dict[str, str]
) -> None:
    orders = [new_order() for _ in range(3)]
    dead(system, shop, payments, owner, *orders)
    page = visit("/issues")
    confirmed(page)

    until(lambda: page.goto("/issues") and page.get_by_role("link", name="CheckViolation").count(), bool)
    page.get_by_role("link", name="CheckViolation").first.click()
    until(lambda: page.reload() and page.locator("tr", has_text=orders[-1]).count(), bool)
    page.locator("#acknowledge").click()
    expect(page.locator("[data-live]")).to_contain_text("acknowledged", timeout=15_000)
    for order in orders:
        page.locator("tr", has_text=order).locator("input[name=event]").check()
    page.get_by_role("button", name="Redrive").click()
    expect(page.locator("main")).to_contain_text("3 of the 3 chosen events apply")
    shoot(page, "issue-plan")
    page.get_by_role("button", name="Redrive 3 events").click()

    payments.wait_for("SELECT 1 FROM payments WHERE order_id = ANY (%s)", orders, count=3)
    expect(page.locator("[data-live]")).to_contain_text("3 processed", timeout=20_000)
    for order in orders:  # without loading the page again
        expect(page.locator("tr", has_text=order)).to_contain_text("not dead any more", timeout=20_000)
    expect(page.get_by_text("has begun")).to_have_count(0)
    shoot(page, "issue-redriven")
    page.goto("/audit")
    expect(page.locator("table")).to_contain_text("issue.redrive")


def test_an_event_is_dismissed_with_a_reason(
    visit: Visit, shop: Shop, payments: Store, owner: Engine, system: dict[str, str]
) -> None:
    order = new_order()
    dead(system, shop, payments, owner, order)
    page = visit("/issues")
    confirmed(page)

    until(lambda: page.goto("/issues") and page.get_by_role("link", name="CheckViolation").count(), bool)
    page.get_by_role("link", name="CheckViolation").first.click()
    until(lambda: page.reload() and page.locator("tr", has_text=order).count(), bool)
    page.locator("tr", has_text=order).locator("input[name=event]").check()
    page.get_by_role("button", name="Dismiss").click()
    page.get_by_label("Reason").fill("a test order")
    page.get_by_role("button", name="Dismiss 1 event").click()

    expect(page.get_by_role("status").first).to_contain_text("1 event is dismissed")
    payments.wait_for("SELECT 1 FROM retries WHERE key = %s::bytea AND status = 'dismissed'", order)


def test_what_is_quarantined_is_counted_before_it_is_released(visit: Visit, shop: Shop, console: Console) -> None:
    body = f'{{"orderId": "{new_order()}", "status": "danced"}}'.encode()
    event = ids.unreadable_body_id("generic", body)
    shop.post_bytes("/webhooks/payment", body)
    console.wait_for(f"/api/webhooks/{event}", lambda row: row["status"] == "FAILED")
    page = visit("/quarantine")

    page.locator("tr", has_text=event).locator("input").check()
    page.get_by_role("button", name="See what can be released").click()

    expect(page.locator("main")).to_contain_text("0 of the 1 chosen webhook can be released")
    expect(page.locator("main")).to_contain_text("invalid_field")


def test_a_mail_is_seen_as_it_was_sent_and_sent_once_more(
    visit: Visit, paid_order: str, system: dict[str, str]
) -> None:
    mails = Store(system["NOTIFIER_DATABASE_URL"])
    query = "SELECT notification_id::text AS id FROM notifications WHERE order_id = %s AND audience = 'customer'"
    first = mails.rows(f"{query} AND again_of IS NULL", paid_order)[0]["id"]
    page = visit(f"/mails/{first}")
    confirmed(page)

    expect(page.frame_locator("iframe.mail").locator("body")).to_contain_text("58,000")
    shoot(page, "mail-one")
    for _ in range(2):
        page.goto(f"/mails/{first}")
        page.get_by_label("Reason").fill("the customer lost it")
        page.get_by_role("button", name="Send it once more").click()

    expect(page.locator("main")).to_contain_text(first)
    again = mails.wait_for(f"{query} AND again_of = %s::uuid AND status = 'sent'", paid_order, first)
    assert len(again) == 1


def test_a_provider_and_a_service_are_paused_and_resumed(visit: Visit, payments: Store, system: dict[str, str]) -> None:
    page = visit("/providers")
    confirmed(page)
    order = new_order()

    page.get_by_label("Reason to pause stripe").fill("a bad deploy")
    page.locator("#stripe").get_by_role("button", name="Pause").click()
    expect(page.locator("#stripe")).to_contain_text("paused")
    body = session(order)
    signed = signing.sign(stripe.PROVIDER, body, system["STRIPE_WEBHOOK_SECRET"].encode(), clock.now())
    assert post_to(system["GATEWAY_URL"], "/api/webhooks/stripe", body, signed).status == 200
    page.reload()
    expect(page.locator("#stripe")).to_contain_text("1 webhook waits")
    page.locator("#stripe").get_by_role("button", name="Resume").click()
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s", order)

    page.goto("/providers")
    page.get_by_label("Reason to pause refund").fill("a migration")
    page.locator("#services tr", has_text="refund").get_by_role("button", name="Pause").click()
    expect(page.locator("#services tr", has_text="refund")).to_contain_text("a migration")
    page.locator("#services tr", has_text="refund").get_by_role("button", name="Resume").click()
    expect(page.locator("#services tr", has_text="refund")).to_contain_text("running")
    post(system, "refund", "/resume", {})


def test_tables_are_taken_as_csv(visit: Visit, paid_order: str) -> None:
    page = visit("/statistics")

    with page.expect_download() as statistics:
        page.get_by_role("button", name="Download as CSV").click()

    def audit() -> str:
        page.goto("/audit")
        with page.expect_download() as download:
            page.get_by_role("button", name="Download as CSV").click()
        return download.value.path().read_text("utf-8-sig")

    assert "PAYMENT" not in statistics.value.path().read_text("utf-8-sig").splitlines()[0]
    assert statistics.value.path().read_text("utf-8-sig").startswith("day,provider,totalCount")
    until(audit, lambda rows: "statistics.export" in rows)
    assert paid_order


def test_a_store_is_replayed_compared_promoted_and_rolled_back(visit: Visit, paid_order: str) -> None:
    name = f"r_{new_order()[2:].lower()}"
    page = visit("/replays?service=shipping")
    confirmed(page)
    replay, command = page.locator(f"#replay-{name}"), page.locator("#command")

    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Start a replay").click()
    expect(replay).to_contain_text("finished", timeout=60_000)
    expect(command).to_contain_text("done", timeout=30_000)
    page.locator(f"#diff-{name}").click()
    expect(replay).to_contain_text("compared", timeout=60_000)
    expect(command).to_contain_text("shipments", timeout=30_000)
    shoot(page, "replay-compared")
    page.locator(f"#promote-{name}").click()
    expect(command).to_contain_text("is live", timeout=60_000)
    page.locator("#rollback").click()
    expect(command).to_contain_text("is live again", timeout=60_000)
    page.locator(f"#drop-{name}").click()
    expect(replay).to_have_count(0, timeout=30_000)
    assert paid_order
