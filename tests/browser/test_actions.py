"""What the person on call does about an event that failed, by the buttons of its order's page."""

from playwright.sync_api import expect

from tests.actors import Console, Shop, Store, new_order
from tests.browser.conftest import Visit, shoot
from tests.failing import engine, pay, post, refusing


def test_an_event_that_fails_is_retried_and_when_it_is_dead_redriven(
    visit: Visit, shop: Shop, console: Console, system: dict[str, str]
) -> None:
    order, owner = new_order(), engine(system)
    with refusing(owner, order):
        pay(shop, order)
        (event,) = seen(console, order, "FAILED")
        page = visit(f"/orders/{order}")
        expect(page.locator("main")).to_contain_text("the payment failed 1 times and tries again")
        page.get_by_role("button", name="Retry now").click()
        expect(page.get_by_role("status").first).to_contain_text("The payment tries it now")
        seen(console, order, "RETRYING")
        post(system, "payment", "/dead/give-up", {"filters": {"id": event}})
        seen(console, order, "ABANDONED")
    owner.dispose()
    page.goto(f"/orders/{order}")
    expect(page.locator("main")).to_contain_text("has given up; it is dead")
    shoot(page, "order-dead-light")
    page.on("dialog", lambda dialog: dialog.accept())

    page.get_by_role("button", name="Redrive").click()

    expect(page.get_by_role("status").first).to_contain_text("The payment processes it again")
    seen(console, order, "PROCESSED")
    page.reload()
    expect(page.locator("main")).not_to_contain_text("it is dead")
    store = Store(system["CONSOLE_DATABASE_URL"])
    audit = store.wait_for("SELECT action, parameters, result FROM actions WHERE target = %s", event, count=4)
    assert {(row["action"], row["parameters"]["service"], row["result"]) for row in audit} == {
        (action, "payment", result) for action in ("event.retry", "dead.redrive") for result in ("requested", "done")
    }


def seen(console: Console, order: str, status: str) -> list[str]:
    """The ids of the order's webhooks once the log shows them in this status."""
    page = console.wait_for("/api/webhooks", lambda page: page["webhooks"], order=order, status=status.lower())
    return [row["webhookId"] for row in page["webhooks"]]
