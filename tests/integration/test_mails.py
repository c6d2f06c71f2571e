"""What becomes of mails when what they pass through fails."""

import os
import subprocess
import sys
from email.message import EmailMessage

from stream import topics
from tests.actors import Inbox, Shop, Store, new_order
from tests.log import append
from tests.processes import kill


def test_a_letter_that_cannot_be_written_fails_alone(
    shop: Shop, inbox: Inbox, notifications: Store, system: dict[str, str]
) -> None:
    broken, order = new_order(), new_order()
    customer = f"{order.lower()}@example.test"
    notifications.rows(
        "INSERT INTO notifications (notification_id, fact_id, fact_type, audience, channel, order_id, contact, fact,"
        " status) VALUES (gen_random_uuid(), gen_random_uuid(), 'NoSuchFact', 'customer', 'email', %s,"
        """ 'nobody@example.test', '{"received_at": 1}', 'queued') RETURNING 1""",
        broken,
    )

    shop.post("order", {"orderId": order, "customerEmail": customer})
    shop.post("payment", {"orderId": order, "status": "completed"})

    inbox.wait_for(customer)
    (letter,) = notifications.wait_for(
        "SELECT status, error FROM notifications WHERE order_id = %s AND status = 'failed'", broken
    )
    assert "NoSuchFact" in letter["error"]


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
        "INSERT INTO notifications (notification_id, fact_id, fact_type, audience, channel, order_id, contact, fact,"
        " status, sending_since) VALUES (gen_random_uuid(), gen_random_uuid(), 'NoSuchFact', 'customer', 'email', %s,"
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
    assert (too_late.returncode, too_late.stderr) == (
        1,
        f"The notifier says no: mail {mail['id']} is sent; only one that is unknown or failed can be resolved so\n",
    )
    assert notifications.rows("SELECT status FROM notifications WHERE order_id = %s", order) == [{"status": "sent"}]


def test_the_command_line_says_what_is_wrong_in_a_sentence(system: dict[str, str]) -> None:
    nobody = hookstream(system, "mail", "show", "00000000-0000-0000-0000-000000000000")
    stranger = hookstream({**system, "MANAGEMENT_TOKEN": "guessed"}, "mail", "list")
    down = hookstream({**system, "NOTIFIER_MANAGEMENT_URL": "http://127.0.0.1:1"}, "mail", "list")

    assert [answer.returncode for answer in (nobody, stranger, down)] == [1, 1, 1]
    assert nobody.stderr == "The notifier says no: there is no mail 00000000-0000-0000-0000-000000000000\n"
    assert stranger.stderr == "The notifier says no: send the management token as a bearer token\n"
    assert down.stderr.startswith("The notifier at http://127.0.0.1:1 does not answer: ")


def test_a_service_that_gives_up_on_a_record_is_told_to_the_operator(inbox: Inbox, system: dict[str, str]) -> None:
    nonsense = new_order()

    append(system, topics.REFUND_WEBHOOKS, nonsense, b"\x00\x00\x00\x00\x01 no record")

    mails = inbox.wait_for("operator@example.test")
    assert any("refund 처리 포기" in text_of(mail) for mail in mails)


def hookstream(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "cli", *arguments)
    return subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, timeout=60, check=False)


def text_of(mail: EmailMessage) -> str:
    return mail.get_body(("plain",)).get_content()  # type: ignore[union-attr, no-any-return]
