"""Decisions that only a person makes: a mail once more, and what a refusal says about a replaced secret."""

import pytest

from notifier.queue.unsent_mails import UNSENT
from runtime.config.secrets import fingerprint
from tests.actors import Console, Inbox, Shop, Store, new_order
from tests.failing import get, hookstream, post
from tests.gateways import another_gateway

RETIRED = "the secret before the rotation"
MAIL = """
SELECT notification_id::text AS id FROM notifications
 WHERE order_id = %s AND audience = 'customer' AND event_type = 'PaymentCompleted' AND status = 'sent'
"""


def mailed(shop: Shop, system: dict[str, str]) -> tuple[str, str, str]:
    """An order whose payment was mailed: the order, the address, the mail's id."""
    order = new_order()
    address = f"{order.lower()}@example.test"
    shop.post("order", {"orderId": order, "customerEmail": address})
    shop.post("payment", {"orderId": order, "status": "completed", "amount": 58000})
    (row,) = Store(system["NOTIFIER_DATABASE_URL"]).wait_for(MAIL, order)
    return order, address, row["id"]


def test_one_decision_sends_one_mail_more_however_often_it_is_said(
    shop: Shop, inbox: Inbox, system: dict[str, str]
) -> None:
    order, address, first = mailed(shop, system)
    wish = {"id": first, "decision": "kim: the customer lost it"}

    answers = [post(system, "notifier", "/mails/send-again", wish).body for _ in range(3)]
    store = Store(system["NOTIFIER_DATABASE_URL"])
    again = store.wait_for(f"{MAIL} AND again_of = %s::uuid", order, first)
    mails = inbox.all_of(address, order, store, count=2)

    assert [answer["changed"] for answer in answers] == [True, False, False]
    assert [row["id"] for row in again] == [answers[0]["id"]]
    assert answers[0]["id"] != first
    assert len({mail["Message-ID"] for mail in mails}) == len(mails) == 2
    assert len({mail["Subject"] for mail in mails}) == 1
    assert get(system, "notifier", "/mail", id=answers[0]["id"]).body["again_of"] == first
    verified = hookstream(system, "verify")
    assert answers[0]["id"] not in verified.stdout


@pytest.mark.parametrize("wish", [{}, {"decision": " "}, {"decision": "x" * 300}])
def test_a_mail_is_not_sent_again_without_a_decision(wish: dict[str, str], system: dict[str, str]) -> None:
    mail = "00000000-0000-4000-8000-000000000000"

    assert post(system, "notifier", "/mails/send-again", {"id": mail, **wish}).status == 400
    assert post(system, "notifier", "/mails/send-again", {"id": mail, "decision": "x"}).status == 404


def test_a_queued_mail_is_sent_now_and_one_without_an_address_is_not(shop: Shop, system: dict[str, str]) -> None:
    order, _, first = mailed(shop, system)
    store = Store(system["NOTIFIER_DATABASE_URL"])
    later = "next_attempt_at = now() + interval '1 hour'"
    store.rows(f"UPDATE notifications SET status = 'queued', {later} WHERE order_id = %s RETURNING 1", order)

    now = post(system, "notifier", "/mails/send-now", {"id": first})
    store.wait_for(MAIL, order)
    store.rows("UPDATE notifications SET status = 'waiting' WHERE order_id = %s RETURNING 1", order)
    refused = post(system, "notifier", "/mails/send-now", {"id": first})
    store.rows("UPDATE notifications SET status = 'sent' WHERE order_id = %s RETURNING 1", order)

    assert (now.status, now.body["changed"]) == (200, True)
    assert (refused.status, refused.body["error"]) == (409, "not_queued")
    assert "sent" not in UNSENT


def test_a_post_signed_with_the_secret_before_is_refused_and_the_console_names_it(
    console: Console, system: dict[str, str]
) -> None:
    order = new_order()
    body = {"orderId": order, "status": "completed", "amount": 1}

    with another_gateway(system, WEBHOOK_SECRET_RETIRED=RETIRED) as (shop, *_):
        old = Shop(shop.url, RETIRED).post("payment", body)
        forged = Shop(shop.url, "a secret that nobody has had").post("payment", body)
        refusals = console.wait_for("/api/refusals", lambda page: len(page["refusals"]) == 2, order=order)["refusals"]

    assert (old.status, old.body) == (forged.status, forged.body)
    assert sorted((row["retiredSecret"] or "") for row in refusals) == ["", fingerprint(RETIRED.encode())]
    assert {row["source"] for row in refusals} == {"127.0.0.1"}
    assert Store(system["PAYMENT_DATABASE_URL"]).rows("SELECT 1 FROM payments WHERE order_id = %s", order) == []
