"""What the person on call does about an event that failed, by the buttons of its order's page."""

from playwright.sync_api import expect

from tests.actors import Console, Shop, Store, new_order
from tests.browser.conftest import Visit, shoot
from tests.failing import engine, pay, refusing


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


def seen(console: Console, order: str, status: str) -> list[str]:
    """The ids of the order's webhooks once the log shows them in this status."""
    page = console.wait_for("/api/webhooks", lambda page: page["webhooks"], order=order, status=status.lower())
    return [row["webhookId"] for row in page["webhooks"]]
