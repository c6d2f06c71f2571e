"""What a stranger wants to know or do, from the first page on and with nothing but the page: in a few clicks each."""

import hashlib
import json
import zipfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import Engine

from providers.stripe import webhook as stripe
from runtime import clock
from simulator import signing
from stream.state.retry_policy import MAX_RETRIES
from tests.actors import Shop, Store, new_order, until
from tests.browser.conftest import Visit, shoot
from tests.contract.posting import post as post_to
from tests.failing import a_failed_event, engine, pay, refusing
from tests.gateways import another_gateway
from tests.integration.test_pauses import session
from tests.processes import frozen


class Person:
    """Somebody who knows no address of the console: clicks, and types into the box."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0
        page.on("dialog", lambda dialog: dialog.accept())

    def click(self, what: Locator) -> None:
        what.click()
        self.clicks += 1

    def search(self, text: str) -> None:
        self.page.keyboard.press("/")
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def search_until(self, order: str, text: str) -> None:
        """Search the order until its page has the text."""

        def found() -> bool:
            self.search(order)
            self.page.wait_for_load_state()
            return text in self.page.locator("main").inner_text()

        until(found, bool)

    def see(self, text: str, seconds: float = 20) -> None:
        expect(self.page.locator("main")).to_contain_text(text, timeout=seconds * 1000)

    def act_on(self, alarm: str) -> None:
        """Follow the link of an alarm on the overview, once it is there."""
        line = self.page.locator(".alarms li", has_text=alarm)
        line.first.wait_for(timeout=120_000)
        self.click(line.first.get_by_role("link"))


@pytest.fixture
def person(visit: Visit) -> Person:
    return Person(visit("/"))


@pytest.fixture
def owner(system: dict[str, str]) -> Iterator[Engine]:
    made = engine(system)
    yield made
    made.dispose()


def test_an_order_was_paid_and_the_customer_got_no_mail(person: Person, shop: Shop, payments: Store) -> None:
    order = new_order()
    shop.post("order", {"orderId": order, "customerId": f"C-{order}"})
    pay(shop, order)
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s", order)
    person.search_until(order, "waits for its recipient")
    person.click(person.page.get_by_role("link", name="See the mail"))

    person.see(f"Post customer C-{order} with email to /webhooks/customer")
    person.page.go_back()
    person.see(f"Post customer C-{order} with email to /webhooks/customer")
    shoot(person.page, "task-no-address")
    assert person.clicks == 1


def test_mails_without_an_address_are_on_the_overview(person: Person, shop: Shop) -> None:
    order = new_order()
    shop.post("order", {"orderId": order, "customerId": f"C-{order}"})
    pay(shop, order)
    person.search_until(order, "waits for its recipient")
    person.page.goto("/")

    person.click(person.page.locator("#figure-waiting"))

    person.see(order)


def test_somebody_floods_the_gateway_with_forged_requests(person: Person, system: dict[str, str]) -> None:
    forger = Shop(system["GATEWAY_URL"], "not the shop's secret")
    for _ in range(40):
        forger.post("payment", {"orderId": new_order(), "status": "completed", "amount": 1})
    log = Store(system["CONSOLE_DATABASE_URL"])
    log.wait_for("SELECT 1 FROM refusals WHERE cause = 'invalid_signature'", count=20)

    person.click(person.page.locator("#figure-refused"))

    row = person.page.locator("tr", has_text="invalid_signature").first
    expect(row).to_contain_text("127.0.0.1")
    assert person.clicks == 1
    person.page.goto("/")
    alarm = person.page.locator(".alarms li", has_text="may be forged")
    expect(alarm.first).to_contain_text("most from 127.0.0.1", timeout=60_000)
    shoot(person.page, "task-flood")


def test_a_provider_signs_with_the_secret_of_before_a_rotation(person: Person, system: dict[str, str]) -> None:
    old = system["STRIPE_WEBHOOK_SECRET"]
    settings = {"STRIPE_WEBHOOK_SECRET": "whsec_the_new_secret_of_stripe_0", "STRIPE_WEBHOOK_SECRET_RETIRED": old}
    with another_gateway(system, **settings) as (rotated, *_):
        for _ in range(12):
            body = session(new_order())
            signed = signing.sign(stripe.PROVIDER, body, old.encode(), clock.now())
            assert post_to(rotated.url, "/api/webhooks/stripe", body, signed).status != 200

    person.act_on("stripe")

    person.see("would prove them")
    shoot(person.page, "task-secret")
    assert person.clicks == 1


def test_an_order_is_not_known_because_its_webhooks_are_refused_during_a_rotation(
    person: Person, system: dict[str, str]
) -> None:
    old, order = system["WEBHOOK_SECRET"], new_order()
    settings = {"WEBHOOK_SECRET": "the-new-secret-of-contract-a-0001", "WEBHOOK_SECRET_RETIRED": old}
    with another_gateway(system, **settings) as (rotated, *_):
        assert Shop(rotated.url, old).post("payment", {"orderId": order, "status": "completed"}).status == 401
    Store(system["CONSOLE_DATABASE_URL"]).wait_for("SELECT 1 FROM refusals WHERE %s = ANY (order_ids)", order)

    person.page.goto(f"/orders/{order}")

    person.see("1 request that names this order was refused and none was accepted")
    person.see("proves 1 of them")
    assert "every webhook is processed" not in person.page.locator("main").inner_text()
    shoot(person.page, "task-order-refused")
    person.click(person.page.locator("main").get_by_role("link", name="invalid_signature"))
    person.see("Refused requests")


def test_a_bad_deploy_has_killed_events(
    person: Person, shop: Shop, payments: Store, owner: Engine, system: dict[str, str]
) -> None:
    orders = [new_order() for _ in range(3)]
    with refusing(owner, *orders):
        for order in orders:
            pay(shop, order)
        for order in orders:
            a_failed_event(payments, order, "retrying", MAX_RETRIES)
        due = "UPDATE retries SET next_attempt_at = now() WHERE key = ANY (%s::bytea[]) RETURNING 1"
        payments.rows(due, [order.encode() for order in orders])
        gone = "SELECT 1 FROM retries WHERE status = 'dead' AND key = ANY (%s::bytea[])"
        payments.wait_for(gone, [order.encode() for order in orders], count=3)

    of_issue = "SELECT 1 FROM issue_events JOIN webhooks ON webhook_id = event_id WHERE is_dead AND order_id = ANY (%s)"
    Store(system["CONSOLE_DATABASE_URL"]).wait_for(of_issue, orders, count=3)
    person.act_on("payment has")
    person.click(person.page.get_by_role("link", name="CheckViolation").first)
    person.see(orders[-1])
    person.click(person.page.locator("[data-all=event]"))
    person.click(person.page.get_by_role("button", name="Redrive").first)
    person.click(person.page.get_by_role("button", name="Redrive").last)

    payments.wait_for("SELECT 1 FROM payments WHERE order_id = ANY (%s)", orders, count=3)
    assert person.clicks == 5


STUCK = "the mail server may be stuck"


def test_the_mail_server_is_stuck_and_recovers(person: Person, shop: Shop, system: dict[str, str]) -> None:
    order, mails = new_order(), Store(system["NOTIFIER_DATABASE_URL"])
    with frozen(system, "INBOX"):
        shop.post("order", {"orderId": order, "customerEmail": f"{order.lower()}@example.test"})
        pay(shop, order)
        person.act_on(STUCK)
        person.see("PaymentCompleted")
        shoot(person.page, "task-mail-server")

    person.page.goto("/")
    mails.wait_for("SELECT 1 FROM notifications WHERE order_id = %s AND status IN ('sent', 'unknown')", order)
    expect(person.page.locator(".alarms li", has_text=STUCK)).to_have_count(0, timeout=30_000)


def test_a_bank_wants_the_history_of_a_customer(
    person: Person, paid_order: str, system: dict[str, str], visit: Visit
) -> None:
    address = f"{paid_order.lower()}@example.test"
    person.search(address)
    person.click(person.page.get_by_role("link", name="All orders of this customer"))
    person.see(paid_order)
    person.page.get_by_label("Why personal data").fill("the bank's request of 3 March")
    shoot(person.page, "task-bank")

    with person.page.expect_download() as downloading:
        person.click(person.page.get_by_role("button", name="Download the evidence"))

    with zipfile.ZipFile(downloading.value.path()) as archive:
        (manifest,) = [name for name in archive.namelist() if name.count("/") == 1 and name.endswith("MANIFEST.json")]
        digest = hashlib.sha256(archive.read(manifest)).hexdigest()
        said = json.loads(archive.read(manifest))
        bodies = [archive.read(name) for name in archive.namelist() if "/bodies/" in name]
    assert (said["customer"], paid_order in said["orders"]) == (address, True)
    assert said["unredactedBecause"] == "admin: the bank's request of 3 March"
    assert any(address.encode() in body for body in bodies)
    query = "SELECT target, parameters FROM actions WHERE action = 'evidence.customer' AND detail LIKE %s"
    (action,) = Store(system["CONSOLE_DATABASE_URL"]).wait_for(query, f"%{digest}%")
    assert (action["target"], action["parameters"]) == (
        f"{address[0]}***@example.test",
        {"because": "the bank's request of 3 March"},
    )
    assert person.clicks == 2
    for look in ("phone", "dark"):
        shoot(visit(f"/customers/{address}", look), f"customer-{look}")
        shoot(visit(f"/orders/{paid_order}", look), f"order-evidence-{look}")


def test_evidence_of_one_order_is_masked_without_a_reason(person: Person, paid_order: str) -> None:
    person.search(paid_order)
    with person.page.expect_download() as downloading:
        person.click(person.page.get_by_role("button", name="Download the evidence"))

    with zipfile.ZipFile(downloading.value.path()) as archive:
        content = b"".join(map(archive.read, archive.namelist())).decode()
    assert downloading.value.suggested_filename == f"evidence-{paid_order}.zip"
    assert f"{paid_order.lower()}@example.test" not in content
    assert "PaymentCompleted" in content
