"""What the person on call does about an event that failed, by the buttons of its order's page."""

import re

from playwright.sync_api import expect

from stream.state.retry_policy import MAX_RETRIES
from tests.actors import Console, Shop, Store, new_order, until
from tests.browser.conftest import Visit, shoot
from tests.failing import a_failed_event, engine, pay, refusing

TRIES = re.compile(r"Last failed at \d{4}-\d\d-\d\d [\d:]+, next try at \d{4}-\d\d-\d\d [\d:]+")


def test_a_dead_event_is_redriven(visit: Visit, shop: Shop, console: Console, system: dict[str, str]) -> None:
    order, owner = new_order(), engine(system)
    with refusing(owner, order):
        pay(shop, order)
        (event,) = seen(console, order, "ABANDONED")
    owner.dispose()
    page = visit(f"/orders/{order}")
    expect(page.locator("main")).to_contain_text("has given up; it is dead")
    shoot(page, "order-dead-light")
    page.on("dialog", lambda dialog: dialog.accept())

    page.get_by_role("button", name="Redrive").click()

    expect(page.get_by_role("status").first).to_contain_text("The payment processes it again")
    seen(console, order, "PROCESSED")
    page.reload()
    expect(page.locator("main")).not_to_contain_text("it is dead")
    store = Store(system["CONSOLE_DATABASE_URL"])
    audit = store.wait_for("SELECT action, parameters, result FROM actions WHERE target = %s", event, count=2)
    assert {(row["action"], row["parameters"]["service"], row["result"]) for row in audit} == {
        ("dead.redrive", "payment", result) for result in ("requested", "done")
    }


def test_an_event_is_retried_now_and_not_in_an_hour(
    visit: Visit, shop: Shop, payments: Store, system: dict[str, str]
) -> None:
    order, owner = new_order(), engine(system)
    with refusing(owner, order):
        pay(shop, order)
        a_failed_event(payments, order, "retrying", 2)
    owner.dispose()
    page = visit()

    until(lambda: page.goto(f"/orders/{order}") and page.get_by_role("button", name="Retry now").count(), bool)
    shoot(page, "order-retrying-light")
    expect(page.locator("main")).to_contain_text(TRIES)
    page.get_by_role("button", name="Retry now").click()

    expect(page.get_by_role("status").first).to_contain_text("The payment tries it now")
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s", order)
    until(lambda: page.reload() and page.get_by_role("button", name="Retry now").count(), lambda count: count == 0)


def test_what_the_console_itself_could_not_store_is_redriven_on_its_pages(
    visit: Visit, shop: Shop, system: dict[str, str]
) -> None:
    order, owner, log = new_order(), engine(system, "console"), Store(system["CONSOLE_DATABASE_URL"])
    with refusing(owner, order, table="webhooks"):
        pay(shop, order)
        a_failed_event(log, order, "retrying", MAX_RETRIES)
        log.rows("UPDATE retries SET next_attempt_at = now() WHERE key = %s::bytea RETURNING 1", order)
        log.wait_for("SELECT 1 FROM retries WHERE status = 'dead' AND key = %s::bytea", order)
    owner.dispose()
    page = visit()
    page.on("dialog", lambda dialog: dialog.accept())

    page.goto("/issues?service=console")
    expect(page.locator("main")).to_contain_text(order)
    shoot(page, "issues-own")
    page.locator("#redrive-own").click()

    log.wait_for("SELECT 1 FROM webhooks WHERE order_id = %s AND kind = 'payment'", order)


def seen(console: Console, order: str, status: str) -> list[str]:
    """The ids of the order's webhooks once the log shows them in this status."""
    page = console.wait_for("/api/webhooks", lambda page: page["webhooks"], order=order, status=status.lower())
    return [row["webhookId"] for row in page["webhooks"]]
