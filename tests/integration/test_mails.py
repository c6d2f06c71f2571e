"""What becomes of mails when what they pass through fails."""

import os
import subprocess
import sys
import urllib.request

from stream.events import topics
from tests.actors import Inbox, Shop, Store, new_order, until
from tests.log import append, reading
from tests.processes import kill


def test_a_letter_that_cannot_be_written_fails_alone(
    shop: Shop, inbox: Inbox, notifications: Store, system: dict[str, str]
) -> None:
    broken, order = new_order(), new_order()
    customer = f"{order.lower()}@example.test"
    notifications.rows(
        "INSERT INTO notifications (notification_id, event_id, event_type, audience, channel, order_id, contact, event,"
        " status) VALUES (gen_random_uuid(), gen_random_uuid(), 'NoSuchEvent', 'customer', 'email', %s,"
        """ 'nobody@example.test', '{"received_at": 1}', 'queued') RETURNING 1""",
        broken,
    )

    shop.post("order", {"orderId": order, "customerEmail": customer})
    shop.post("payment", {"orderId": order, "status": "completed"})

    inbox.wait_for(customer)
    (letter,) = notifications.wait_for(
        "SELECT status, error FROM notifications WHERE order_id = %s AND status = 'failed'", broken
    )
    assert "NoSuchEvent" in letter["error"]
    until(lambda: metrics(system), lambda published: published.get('hookstream_mails{status="failed"}', 0) >= 1)
    assert metrics(system)['hookstream_mail_sends_total{result="failed"}'] >= 1


def test_an_order_whose_contact_cannot_be_mailed_counts_and_nobody_is_mailed_at_it(
    shop: Shop, inbox: Inbox, payments: Store, notifications: Store, system: dict[str, str]
) -> None:
    order, other = new_order(), new_order()
    victim, customer = f"{order.lower()}@other.test", f"{other.lower()}@example.test"
    contact = f"=?utf-8?q?{order.lower()}=40other.test=2C?=@x.test"

    answer = shop.post("order", {"orderId": order, "customerEmail": contact, "amount": 58000})
    shop.post("payment", {"orderId": order, "status": "completed", "amount": 58000})
    notifications.wait_for(
        "SELECT 1 FROM notifications WHERE order_id = %s AND audience = 'customer' AND status = 'no_recipient'", order
    )
    shop.post("order", {"orderId": other, "customerEmail": f" {customer} ", "locale": "en-GB,en;q=0.9,ko;q=0.1"})
    shop.post("payment", {"orderId": other, "status": "completed", "amount": 58000, "paymentMethod": "카드"})

    (mail,) = inbox.wait_for(customer)
    listed = hookstream(system, "mail", "list", "--order", order)
    assert answer.status == 200
    assert payments.wait_for("SELECT amount FROM orders WHERE order_id = %s", order) == [{"amount": 58000}]
    assert (inbox.mails_to(victim), inbox.mails_to(contact)) == ([], [])
    assert "no_recipient" in listed.stdout
    assert f"unusable contact of order {order}: customerEmail is no address that can be mailed: it" in listed.stdout
    assert contact not in listed.stdout
    assert (mail["To"], mail["Subject"]) == (customer, f"Order {other}: payment received")
    assert "Method: card" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_of_a_free_order_the_parcels_are_told(shop: Shop, inbox: Inbox) -> None:
    order = new_order()
    customer = f"{order.lower()}@example.test"

    answer = shop.post("order", {"orderId": order, "customerEmail": customer, "customerName": "", "amount": 0})
    shop.post("shipping", {"orderId": order, "status": "delivered", "carrier": "우체국", "trackingNumber": order})

    assert answer.status == 200
    assert len(inbox.wait_for(customer)) == 1


def test_a_mail_waits_for_a_mail_server_that_is_away(
    shop: Shop, inbox: Inbox, notifications: Store, system: dict[str, str]
) -> None:
    order = new_order()
    customer = f"{order.lower()}@example.test"
    kill(system, "INBOX")

    shop.post("order", {"orderId": order, "customerEmail": customer})
    shop.post("payment", {"orderId": order, "status": "completed"})

    assert len(inbox.wait_for(customer)) == 1
    assert notifications.wait_for(
        "SELECT status FROM notifications WHERE order_id = %s AND status = 'sent'", order
    ) == [{"status": "sent"}]


def test_a_person_finds_an_unknown_mail_and_settles_it_on_the_command_line(
    notifications: Store, system: dict[str, str]
) -> None:
    order = new_order()
    (mail,) = notifications.rows(
        "INSERT INTO notifications (notification_id, event_id, event_type, audience, channel, order_id, contact, event,"
        " status, sending_since) VALUES (gen_random_uuid(), gen_random_uuid(), 'NoSuchEvent', 'customer', 'email', %s,"
        """ 'nobody@example.test', '{"received_at": 1}', 'unknown', now()) RETURNING notification_id::text AS id""",
        order,
    )

    listed = hookstream(system, "mail", "list", "--status", "unknown")
    shown = hookstream(system, "mail", "show", mail["id"])
    undecided = hookstream(system, "mail", "resolve", mail["id"])
    settled = hookstream(system, "mail", "resolve", mail["id"], "--sent")
    again = hookstream(system, "mail", "resolve", mail["id"], "--sent")
    too_late = hookstream(system, "mail", "resolve", mail["id"], "--send-again")

    assert mail["id"] in listed.stdout
    assert "recipient: nobody@example.test\n" in shown.stdout
    assert (undecided.returncode, undecided.stderr) == (1, "Say what you found out: --sent or --send-again.\n")
    assert (settled.returncode, settled.stdout) == (0, f"{mail['id']} is sent\n")
    assert (again.returncode, again.stdout) == (0, f"{mail['id']} is sent (as before: it was resolved already)\n")
    refusal = f"mail {mail['id']} is sent; send_again applies only to a mail that is unknown or failed"
    assert (too_late.returncode, too_late.stderr) == (1, f"The notifier refused the request: {refusal}\n")
    assert notifications.rows("SELECT status FROM notifications WHERE order_id = %s", order) == [{"status": "sent"}]


def test_an_order_s_life_shows_what_is_not_mailed_and_why(
    shop: Shop, notifications: Store, system: dict[str, str]
) -> None:
    order = new_order()
    shop.post("payment", {"orderId": order, "status": "completed"})
    (mail,) = notifications.wait_for(
        "SELECT notification_id::text AS id FROM notifications"
        " WHERE order_id = %s AND status = 'waiting' AND audience = 'customer'",
        order,
    )

    life = until(lambda: hookstream(system, "order", order), lambda said: said.returncode == 0)
    blind = hookstream({**system, "NOTIFIER_MANAGEMENT_URL": "http://127.0.0.1:1"}, "order", order)
    listed = hookstream(system, "mail", "list", "--order", order)

    assert f"mail {mail['id']} of PaymentCompleted to the customer waits for a recipient address\n" in life.stdout
    assert "the unsent mails of this order are not known: The notifier at http://127.0.0.1:1" in blind.stdout
    assert blind.returncode == 0
    assert mail["id"] in listed.stdout
    assert mail["id"] not in hookstream(system, "mail", "list").stdout


def test_the_command_line_says_what_is_wrong_in_a_sentence(system: dict[str, str]) -> None:
    nobody = hookstream(system, "mail", "show", "00000000-0000-0000-0000-000000000000")
    stranger = hookstream({**system, "MANAGEMENT_TOKEN": "guessed"}, "mail", "list")
    down = hookstream({**system, "NOTIFIER_MANAGEMENT_URL": "http://127.0.0.1:1"}, "mail", "list")

    assert [answer.returncode for answer in (nobody, stranger, down)] == [1, 1, 1]
    assert nobody.stderr == "The notifier refused the request: there is no mail 00000000-0000-0000-0000-000000000000\n"
    assert stranger.stderr == "The notifier refused the request: send the management token as a bearer token\n"
    assert down.stderr.startswith("The notifier at http://127.0.0.1:1 does not answer: ")


def test_the_operator_is_to_hear_of_a_record_that_a_service_gives_up_on(
    notifications: Store, system: dict[str, str]
) -> None:
    with reading(system, topics.dead("refund")) as dead:
        nonsense = new_order()
        append(system, topics.REFUND_WEBHOOKS, nonsense, b"\x00\x00\x00\x00\x01 no record")
        letter = dead.wait_for(lambda letter: letter.key == nonsense.encode())

    (alert,) = notifications.wait_for(
        "SELECT details FROM operator_alerts WHERE subject = %s", f"refund {letter.event_id}"
    )
    assert (alert["details"]["topic"], alert["details"]["error"]) == (topics.REFUND_WEBHOOKS.name, letter.error)


def metrics(system: dict[str, str]) -> dict[str, float]:
    request = urllib.request.Request(
        system["NOTIFIER_MANAGEMENT_URL"] + "/metrics",
        headers={"Authorization": f"Bearer {system['MANAGEMENT_TOKEN']}"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        lines = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def hookstream(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "cli", *arguments)
    return subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, timeout=60, check=False)
