"""What becomes of a mail when the mail server misbehaves, its reader is unknown, or it comes too late.

The notifier's own code, on a schema of its own in the real database, speaks to a real mail server that plays tricks.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import repeat
from threading import Event, Thread
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from prometheus_client import REGISTRY

from notifier import replay_hooks
from notifier.handler import handle
from notifier.management.api import ManagementApi
from notifier.sending.housekeeping import Housekeeping
from notifier.sending.sender import Sender
from notifier.settings import NotifierSettings
from runtime import clock
from runtime.management.routes import RequestRefused
from runtime.postgres.engine import engine
from stream.events import (
    CustomerPayload,
    CustomerWebhook,
    DeadRecord,
    DomainEvent,
    EventId,
    Micros,
    NotificationSent,
    PaymentCompleted,
    QuarantinedWebhook,
    SubscriptionCancelled,
    ids,
    topics,
)
from stream.store.schema import migrate
from tests.actors import Store, new_order, until
from tests.builders import an_envelope, an_order
from tests.log import CODEC, reading
from tests.postman import Postman, Trick, postman

pytestmark = pytest.mark.long

DAY = 86_400_000_000
TIMEOUT_S = 1.0


@dataclass
class Office:
    """A notifier without its consumer: domain events are handed to it, and it sends."""

    system: dict[str, str]
    postman: Postman
    schema: str = field(default_factory=lambda: f"office_{new_order()[2:]}")
    wishes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        owner = self.system["NOTIFIER_DATABASE_URL"]
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(f'CREATE SCHEMA "{self.schema}"'.encode())
        self.url = f"{owner}?options={quote(f'-csearch_path={self.schema}')}"
        migrate.upgrade("notifier", self.url)
        self.settings = NotifierSettings(
            database_url=self.url,
            kafka_bootstrap_servers=self.system["KAFKA_BOOTSTRAP_SERVERS"],
            smtp_url=self.postman.url,
            mail_from="shop@example.test",
            mail_timeout_s=TIMEOUT_S,
            **{"operator_email": None, **self.wishes},
        )
        self.store = engine(self.url, service="office")
        self.rows = Store(self.url)
        self.sender = Sender(self.settings, self.store, CODEC)
        self.desk = ManagementApi(self.settings, self.store, CODEC, self.sender.new_mail.set).routes()
        self.stop = Event()
        self.sending = self.sender.start(self.stop)
        self.tidying = Housekeeping(self.settings, self.store).start(self.stop)

    def hear(self, *events: Any) -> None:
        with self.store.begin() as tx:
            handle(tx, events, operator=self.settings.operator_email, max_age_s=self.settings.mail_max_age)
        self.sender.new_mail.set()

    def replay(self, *events: Any) -> None:
        """As a replay hears of it: whoever was mailed stays mailed."""
        with self.store.begin() as tx:
            replay_hooks.handle(tx, events, operator=self.settings.operator_email)

    def wait(self, domain_event: DomainEvent, status: str) -> dict[str, Any]:
        """The mail of a domain event once it has come to a status."""
        look = lambda: self.rows.rows(  # noqa: E731
            "SELECT *, notification_id::text AS id FROM notifications WHERE event_id = %s", domain_event.event_id
        )
        (row,) = until(look, lambda rows: [row["status"] for row in rows] == [status])
        return row

    def close(self) -> None:
        self.stop.set()
        self.sender.new_mail.set()
        self.sending.join(20)
        self.tidying.join(20)
        self.store.dispose()
        with psycopg.connect(self.settings.database_url, autocommit=True) as connection:
            connection.execute(f'DROP SCHEMA "{self.schema}" CASCADE'.encode())


Open = Callable[..., Office]


@pytest.fixture
def open_office(system: dict[str, str]) -> Iterator[Open]:
    opened: list[Office] = []
    with postman() as man:

        def open_one(**wishes: Any) -> Office:
            opened.append(Office(system, man, wishes=wishes))
            return opened[-1]

        yield open_one
        for office in opened:
            office.close()


@pytest.fixture
def office(open_office: Open) -> Office:
    return open_office()


def a_domain_event(*, age: int = 0, **said: Any) -> PaymentCompleted:
    order = new_order()
    at = clock.now() - age
    published = {"order_id": order, "contact": f"{order.lower()}@example.test", "customer_id": None, **said}
    return PaymentCompleted(
        event_id=ids.domain_event_id("PaymentCompleted", order),
        caused_by=EventId(ids.uuid5(order)),
        mode="test",
        occurred_at=Micros(at),
        received_at=Micros(at),
        amount=58000,
        method=None,
        transaction_id=None,
        paid_at=None,
        **{"currency": "KRW", "provider": "generic", **published},
    )


def a_customer(customer: str, email: str, **said: Any) -> CustomerWebhook:
    payload = CustomerPayload(customer_id=customer, email=email, **said)
    return CustomerWebhook(envelope=an_envelope(payload), payload=payload)


def known(domain_event: DomainEvent, **said: Any) -> Any:
    """The domain event's order, which names nobody who sells: so there is one mail."""
    return an_order(order=domain_event.order_id or "", customer_email=domain_event.contact, **said)


@pytest.mark.parametrize(
    ("trick", "attempts"),
    [
        ("450 at rcpt", 2),
        ("452 after dot", 2),
        ("503 at rcpt", 1),
        ("stall at rcpt", 1),
        ("hang up at rcpt", 2),
        ("421 at rcpt", 2),
        ("hang up at data", 2),
        ("503 after dot", 1),
    ],
)
def test_a_mail_that_was_not_taken_is_tried_again_until_it_is(office: Office, trick: Trick, attempts: int) -> None:
    """A server that answers no mail costs none an attempt; one that closes the connection at a mail has answered it."""
    domain_event = a_domain_event()
    office.postman.plays(str(domain_event.contact), trick)

    office.hear(known(domain_event), domain_event)

    sent = office.wait(domain_event, "sent")
    assert (sent["attempts"], sent["error"]) == (attempts, None)
    assert len(office.postman.to(str(domain_event.contact))) == 1


@pytest.mark.parametrize("trick", ["550 at rcpt", "554 after dot"])
def test_a_mail_refused_for_good_has_failed_and_is_never_tried_again(office: Office, trick: Trick) -> None:
    domain_event, later = a_domain_event(), a_domain_event()
    office.postman.plays(str(domain_event.contact), trick)

    office.hear(known(domain_event), domain_event)
    failed = office.wait(domain_event, "failed")
    office.hear(known(later), later)
    office.wait(later, "sent")

    assert failed["error"].startswith(trick[:3])
    assert office.postman.tried[str(domain_event.contact)] == 1
    assert office.postman.to(str(domain_event.contact)) == []


@pytest.mark.parametrize("trick", ["hang up after dot", "stall after dot"])
def test_a_mail_whose_server_vanished_after_the_dot_is_unknown_and_not_sent_again(office: Office, trick: Trick) -> None:
    domain_event, later = a_domain_event(), a_domain_event()
    office.postman.plays(str(domain_event.contact), trick)

    office.hear(known(domain_event), domain_event)
    office.wait(domain_event, "unknown")
    office.hear(known(later), later)
    office.wait(later, "sent")

    assert office.postman.tried[str(domain_event.contact)] == 1


def test_a_mail_is_sent_when_the_server_says_good_night_after_taking_it(office: Office) -> None:
    domain_event, next_one = a_domain_event(), a_domain_event()
    office.postman.plays(str(domain_event.contact), "421 after 250")

    office.hear(known(domain_event), domain_event, known(next_one), next_one)

    office.wait(domain_event, "sent")
    assert office.wait(next_one, "sent")["attempts"] == 1
    assert len(office.postman.to(str(domain_event.contact))) == 1


def test_a_server_that_takes_few_connections_gets_all_mails_and_each_at_its_first_try(office: Office) -> None:
    office.postman.most = 2
    domain_events = [a_domain_event() for _ in range(9)]

    office.hear(*(event for domain_event in domain_events for event in (known(domain_event), domain_event)))

    assert [office.wait(domain_event, "sent")["attempts"] for domain_event in domain_events] == [1] * 9
    assert sorted(address for address, _ in office.postman.mails) == sorted(
        str(domain_event.contact) for domain_event in domain_events
    )


@pytest.mark.parametrize("is_mute", [False, True])
def test_mails_that_wait_for_a_silent_server_are_due_as_soon_as_it_answers_again_and_each_is_sent_once(
    office: Office, *, is_mute: bool
) -> None:
    """Either it closes each connection with a 421, or it says nothing at all."""
    domain_events, man = [a_domain_event() for _ in range(40)], office.postman
    man.most, man.is_mute = 0, is_mute
    office.hear(*(event for domain_event in domain_events for event in (known(domain_event), domain_event)))
    until(lambda: man.connections, lambda count: count >= office.settings.mail_connections + 2)
    until(silent_s, bool)

    man.most, man.is_mute = 1000, False

    assert [office.wait(domain_event, "sent")["attempts"] for domain_event in domain_events] == [1] * 40
    assert sorted(address for address, _ in man.mails) == sorted(str(event.contact) for event in domain_events)
    until(silent_s, lambda seconds: seconds == 0)


def test_a_silent_server_is_tried_with_one_mail_at_a_time(office: Office) -> None:
    domain_events, man = [a_domain_event() for _ in range(40)], office.postman
    man.most = 0
    office.hear(*(event for domain_event in domain_events for event in (known(domain_event), domain_event)))
    # A round puts its mails back at one time.
    rounds = (
        "SELECT count(*) FROM notifications WHERE error IS NOT NULL GROUP BY next_attempt_at ORDER BY next_attempt_at"
    )

    found = until(lambda: [row["count"] for row in office.rows.rows(rounds)], lambda sizes: len(sizes) > 3)

    assert found == [office.settings.mail_connections] + [1] * (len(found) - 1)
    assert office.rows.rows("SELECT DISTINCT attempts, status FROM notifications") == [
        {"attempts": 0, "status": "queued"}
    ]


def test_mails_at_which_the_server_closes_the_connection_hold_up_no_other_and_wait_for_their_own_back_off(
    office: Office,
) -> None:
    """Two notifiers, and more such mails than a lane takes."""
    other = Sender(office.settings, office.store, CODEC)
    sending, man = other.start(office.stop), office.postman
    closes: Trick = "hang up at rcpt"
    poison, good = [a_domain_event() for _ in range(office.settings.mail_connections + 4)], a_domain_event()
    for domain_event in poison:
        man.plays(str(domain_event.contact), *repeat(closes, 100))
    office.hear(*(event for domain_event in poison for event in (known(domain_event), domain_event)))
    until(lambda: all(man.tried[str(event.contact)] for event in poison), bool)

    office.hear(known(good), good)

    office.wait(good, "sent")
    # Each has been tried once or twice more, so none was taken as a probe again and again.
    assert max(man.tried[str(event.contact)] for event in poison) < 5
    until(silent_s, lambda seconds: seconds == 0)
    attempts = "SELECT attempts, status FROM notifications WHERE event_id = ANY (%s)"
    rows = office.rows.rows(attempts, [event.event_id for event in poison])
    assert {row["status"] for row in rows} == {"queued"}
    assert min(row["attempts"] for row in rows) > 0
    office.stop.set()
    sending.join(20)


def test_a_probe_is_a_mail_that_the_server_has_not_seen_yet(office: Office) -> None:
    """The replies concern the session, so none of the bad mails counts as answered."""
    refuses: Trick = "503 at rcpt"
    man, bad, good = office.postman, [a_domain_event() for _ in range(5)], a_domain_event()
    for domain_event in bad:
        man.plays(str(domain_event.contact), *repeat(refuses, 100))
    office.hear(*(event for domain_event in bad for event in (known(domain_event), domain_event)))
    until(silent_s, bool)

    before = len(man.rcpts)
    office.hear(known(good), good)

    office.wait(good, "sent")
    assert man.rcpts.index(str(good.contact)) <= before + 1  # one probe may have been under way


def test_a_probe_is_the_first_mail_of_its_order(office: Office) -> None:
    man, paid = office.postman, a_domain_event()
    shipped = a_domain_event(order_id=paid.order_id, contact=paid.contact)
    man.most = 0
    office.hear(known(paid), paid)
    until(silent_s, bool)
    office.hear(shipped)

    man.most = 1000

    office.wait(paid, "sent")
    office.wait(shipped, "sent")
    sent = [mail["Message-ID"].strip("<>").partition("@")[0] for _, mail in man.mails]
    assert sent == [ids.notification_id(event.event_id, "customer", "email") for event in (paid, shipped)]


def silent_s() -> float:
    return REGISTRY.get_sample_value("hookstream_mail_server_silent_seconds") or 0.0


def test_one_bad_mail_of_many_costs_the_others_nothing(office: Office) -> None:
    domain_events = [a_domain_event() for _ in range(9)]
    tricks: tuple[Trick, ...] = ("stall at rcpt", "hang up after dot", "550 at rcpt")
    for domain_event, trick in zip(domain_events, tricks, strict=False):
        office.postman.plays(str(domain_event.contact), trick)

    office.hear(*(event for domain_event in domain_events for event in (known(domain_event), domain_event)))

    assert [office.wait(domain_event, "sent")["attempts"] for domain_event in domain_events[3:]] == [1] * 6
    assert office.wait(domain_events[0], "sent")["attempts"] == 2
    office.wait(domain_events[1], "unknown")
    office.wait(domain_events[2], "failed")


def test_the_mails_of_an_order_are_sent_in_the_order_in_which_they_came_due(office: Office) -> None:
    first = a_domain_event(contact=None)
    domain_events = [first, *(a_domain_event(order_id=first.order_id, contact=None) for _ in range(3))]
    office.hear(an_order(order=str(first.order_id), customer_email=None, customer_id=new_order()))
    office.hear(*domain_events)
    office.rows.rows("UPDATE orders SET customer_email = 'kim@example.test' RETURNING 1")
    office.rows.rows(
        "UPDATE notifications SET status = 'queued', next_attempt_at = now() - saved.age * interval '1 second'"
        "  FROM unnest(%s::uuid[]) WITH ORDINALITY AS saved (event_id, age)"
        " WHERE notifications.event_id = saved.event_id RETURNING 1",
        [domain_event.event_id for domain_event in reversed(domain_events)],
    )
    office.sender.new_mail.set()

    for domain_event in domain_events:
        office.wait(domain_event, "sent")
    ids_sent = [mail["Message-ID"].strip("<>").partition("@")[0] for _, mail in office.postman.mails]
    assert ids_sent == [
        ids.notification_id(domain_event.event_id, "customer", "email") for domain_event in domain_events
    ]


def test_a_mail_that_a_dead_notifier_left_behind_in_sending_is_unknown(office: Office) -> None:
    domain_event = a_domain_event()
    office.hear(known(domain_event), domain_event)
    office.wait(domain_event, "sent")

    office.rows.rows(
        "UPDATE notifications SET status = 'sending', sending_since = now() - interval '3 minutes' RETURNING 1"
    )

    assert "the notifier ended" in office.wait(domain_event, "unknown")["error"]
    assert len(office.postman.to(str(domain_event.contact))) == 1


def test_of_a_webhook_received_too_long_ago_nobody_is_mailed(office: Office) -> None:
    old, young = a_domain_event(age=8 * DAY), a_domain_event(age=6 * DAY)

    office.hear(known(old), old, known(young), young)

    office.wait(young, "sent")
    office.wait(old, "stale")
    assert office.postman.tried[str(old.contact)] == 0


def test_a_mail_that_grows_too_old_in_the_queue_is_stale(open_office: Open) -> None:
    office, domain_event = open_office(mail_max_age=2.0), a_domain_event()
    never: list[Trick] = ["450 at rcpt"] * 9
    office.postman.plays(str(domain_event.contact), *never)

    office.hear(known(domain_event), domain_event)

    office.wait(domain_event, "stale")
    assert office.postman.to(str(domain_event.contact)) == []


def test_a_mail_without_a_reader_is_given_up_and_sent_all_the_same_when_the_reader_is_told(open_office: Open) -> None:
    office = open_office(recipient_wait=0.5)
    domain_event = a_domain_event(contact=None)
    office.hear(an_order(order=str(domain_event.order_id), customer_email=None, customer_id="C-1"), domain_event)
    office.wait(domain_event, "no_recipient")

    office.hear(a_customer("C-1", "late@example.test"))

    office.wait(domain_event, "sent")
    assert len(office.postman.to("late@example.test")) == 1


def test_a_reader_told_after_the_domain_event_grew_too_old_changes_nothing(open_office: Open) -> None:
    office, later = open_office(recipient_wait=0.5, mail_max_age=3.0), a_domain_event(age=DAY)
    domain_event = a_domain_event(contact=None)
    office.hear(an_order(order=str(domain_event.order_id), customer_email=None, customer_id="C-2"), domain_event)
    office.wait(domain_event, "no_recipient")
    until(lambda: clock.now() - domain_event.received_at, lambda age: age > 3_100_000)

    office.hear(a_customer("C-2", "too-late@example.test"), later)

    assert office.wait(domain_event, "no_recipient")
    assert office.postman.tried["too-late@example.test"] == 0


def test_a_domain_event_that_meets_its_order_s_uncommitted_row_waits_and_finds_the_address(office: Office) -> None:
    domain_event = a_domain_event(contact=None)
    order = an_order(order=str(domain_event.order_id), customer_email="meets@example.test", customer_id=new_order())
    hearing = Thread(target=lambda: office.hear(domain_event))

    with office.store.begin() as tx:
        handle(tx, [order], operator=None, max_age_s=office.settings.mail_max_age)
        hearing.start()
        waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        until(lambda: office.rows.rows(waits), bool)
    hearing.join()

    office.wait(domain_event, "sent")
    assert len(office.postman.to("meets@example.test")) == 1


def test_a_domain_event_of_a_customer_without_an_order_finds_the_customer_whichever_comes_first(office: Office) -> None:
    first, second = (a_cancellation(user) for user in ("U-1", "U-2"))

    office.hear(first)
    office.hear(a_customer("U-1", "u1@example.test", locale="en", name="Kim"), a_customer("U-2", "u2@example.test"))
    office.hear(second)

    office.wait(first, "sent")
    office.wait(second, "sent")
    assert [mail["Subject"] for mail in office.postman.to("u1@example.test")] == ["Your PRO subscription was cancelled"]
    assert [mail["Subject"] for mail in office.postman.to("u2@example.test")] == ["PRO 구독이 해지되었습니다"]


def a_cancellation(user: str) -> SubscriptionCancelled:
    return SubscriptionCancelled(
        event_id=ids.domain_event_id("SubscriptionCancelled", user, new_order()),
        caused_by=EventId(ids.uuid5(user)),
        mode="test",
        occurred_at=None,
        received_at=Micros(clock.now()),
        order_id=None,
        customer_id=user,
        plan="pro",
        started_at=None,
        ends_at=Micros(clock.now()),
        next_billing_at=None,
    )


def test_whom_the_order_names_comes_before_the_customer_and_the_domain_events_contact_last(office: Office) -> None:
    by_order, by_customer, by_contact = a_domain_event(), a_domain_event(), a_domain_event()

    office.hear(
        a_customer("C-3", "customer@example.test"),
        an_order(order=str(by_order.order_id), customer_email="order@example.test", customer_id="C-3"),
        an_order(order=str(by_customer.order_id), customer_email=None, customer_id="C-3"),
        by_order,
        by_customer,
        by_contact,
    )

    until(lambda: len(office.postman.mails), lambda count: count == 3)
    assert {mail["To"] for _, mail in office.postman.mails} == {
        "order@example.test",
        "customer@example.test",
        by_contact.contact,
    }


UNUSABLE = (
    "=?utf-8?q?victim=40other.test=2C?=@x.test",
    "victim@other.test,kim@x.test",
    "Kim <victim@other.test>",
    "kim@x..test",
    "|kim@x.test",
    "-kim@x.test",
    "",
)


@pytest.mark.parametrize("contact", UNUSABLE)
def test_a_contact_that_cannot_be_mailed_is_listed_at_once_and_nobody_is_mailed_at_it(
    office: Office, contact: str
) -> None:
    """The records are as an older gateway, which took such contacts, has left them in the topics."""
    by_order, by_customer = a_domain_event(contact=None), a_domain_event(contact=None)
    by_contact, later = a_domain_event(contact=contact), a_domain_event()
    customer = new_order()

    office.hear(an_order(order=str(by_order.order_id), customer_email=contact), by_order)
    office.hear(a_customer(customer, contact))
    office.hear(an_order(order=str(by_customer.order_id), customer_email=None, customer_id=customer), by_customer)
    office.hear(an_order(order=str(by_contact.order_id), customer_email=None, customer_id=new_order()), by_contact)
    office.hear(known(later), later)

    office.wait(later, "sent")
    for domain_event in (by_order, by_customer, by_contact):
        assert "is no address that can be mailed: " in office.wait(domain_event, "no_recipient")["error"]
    assert [address for address, _ in office.postman.mails] == [later.contact]
    listed = said_as_json(office.desk["GET", "/mails"]({}))
    assert len(listed["mails"]) == 3
    assert {(one["order_id"], one["customer_id"]) for one in listed["unusable_contacts"]} == {
        (by_order.order_id, None),
        (None, customer),
    }


def test_a_contact_that_was_stored_before_contacts_were_checked_is_not_mailed_either(office: Office) -> None:
    domain_event, later = a_domain_event(contact=None), a_domain_event()
    office.hear(an_order(order=str(domain_event.order_id), customer_email=None, customer_id=new_order()), domain_event)
    office.rows.rows("UPDATE orders SET customer_email = %s RETURNING 1", UNUSABLE[0])
    office.rows.rows("UPDATE notifications SET status = 'queued' RETURNING 1")
    office.sender.new_mail.set()

    assert "encoded word" in office.wait(domain_event, "no_recipient")["error"]
    office.hear(known(later), later)
    office.wait(later, "sent")
    assert [address for address, _ in office.postman.mails] == [later.contact]


def test_a_contact_that_is_put_right_gets_the_mails_that_waited_for_it(office: Office) -> None:
    domain_event = a_domain_event(contact=None)
    office.hear(an_order(order=str(domain_event.order_id), customer_email="kim@x..test", updated_at=1), domain_event)
    office.wait(domain_event, "no_recipient")

    office.hear(an_order(order=str(domain_event.order_id), customer_email="kim@x.test", updated_at=2))

    assert office.wait(domain_event, "sent")["error"] is None
    assert len(office.postman.to("kim@x.test")) == 1
    assert said_as_json(office.desk["GET", "/mails"]({}))["unusable_contacts"] == []


def test_a_seller_whose_address_cannot_be_mailed_costs_the_customer_nothing(office: Office) -> None:
    domain_event = a_domain_event()

    office.hear(known(domain_event, seller_email="seller@x.test,lee@x.test"), domain_event)

    until(
        lambda: office.rows.rows("SELECT audience, status FROM notifications ORDER BY audience"),
        lambda rows: [tuple(row.values()) for row in rows] == [("customer", "sent"), ("seller", "no_recipient")],
    )
    assert [address for address, _ in office.postman.mails] == [domain_event.contact]


def test_an_order_that_is_told_anew_without_a_usable_address_is_not_mailed_at_the_old_one(office: Office) -> None:
    domain_event = a_domain_event(contact=None)
    office.postman.plays("old@example.test", "450 at rcpt", "450 at rcpt", "450 at rcpt")
    office.hear(
        an_order(order=str(domain_event.order_id), customer_email="old@example.test", updated_at=1), domain_event
    )
    until(lambda: office.postman.tried["old@example.test"], bool)

    office.hear(an_order(order=str(domain_event.order_id), customer_email="old@example..test", updated_at=2))

    assert "a label is empty" in office.wait(domain_event, "no_recipient")["error"]
    assert office.postman.to("old@example.test") == []


@pytest.mark.parametrize("address", ["Kim.O'Brien+tag@Shop.Example", "a/b=c?d#e$f&g*h^i_j`k{l|m}n~o@x.test"])
def test_a_mail_goes_to_exactly_the_address_that_was_given(office: Office, address: str) -> None:
    domain_event = a_domain_event(contact=address)

    office.hear(known(domain_event), domain_event)

    office.wait(domain_event, "sent")
    ((recipient, mail),) = office.postman.mails
    assert (recipient, mail["To"]) == (address, address)


def test_an_address_beyond_ascii_is_listed_where_the_mail_server_does_not_take_it(office: Office) -> None:
    domain_event, later = a_domain_event(contact="김@example.test"), a_domain_event()

    office.hear(known(domain_event), domain_event)
    office.hear(known(later), later)

    assert "does not offer SMTPUTF8" in office.wait(domain_event, "failed")["error"]
    office.wait(later, "sent")


def test_of_a_plan_s_payment_no_seller_s_mail_waits(office: Office) -> None:
    published, untold = a_domain_event(provider="tosspayments"), a_domain_event(provider="tosspayments")

    office.hear(known(published, seller_email="seller@example.test"), published)
    office.hear(untold)

    until(lambda: len(office.postman.mails), lambda count: count == 3)
    assert office.rows.rows("SELECT audience FROM notifications WHERE order_id = %s", untold.order_id) == [
        {"audience": "customer"}
    ]
    assert {address for address, _ in office.postman.mails} == {
        published.contact,
        untold.contact,
        "seller@example.test",
    }


def test_customer_and_seller_find_one_row_each_on_their_pages_however_often_and_late_they_are_known(
    office: Office,
) -> None:
    domain_event = a_domain_event(contact=None)
    order = an_order(
        order=str(domain_event.order_id),
        customer_id="C-4",
        seller_id="S-4",
        customer_name="김민지",
        link="https://x.example/b/7",
    )
    office.hear(domain_event)
    assert office.rows.rows("SELECT 1 FROM in_app") == []

    office.hear(order)
    office.hear(order, domain_event, a_customer("S-4", "seller@example.test", locale="en"))

    rows = office.rows.rows("SELECT * FROM in_app ORDER BY user_id")
    assert [(row["user_id"], row["type"], row["link"], row["title"]) for row in rows] == [
        ("C-4", "PaymentCompleted", "https://x.example/b/7", f"주문 {domain_event.order_id}: 결제가 완료되었습니다"),
        ("S-4", "PaymentCompleted", "https://x.example/b/7", f"주문 {domain_event.order_id}: 결제가 들어왔습니다"),
    ]
    assert rows[0]["message"] == f"주문 {domain_event.order_id}의 결제가 완료되었습니다."
    assert str(rows[0]["id"]) == ids.notification_id(domain_event.event_id, "customer", "in_app")
    until(
        lambda: [mail["Subject"] for mail in office.postman.to("seller@example.test")],
        lambda published: len(published) == 1,
    )


def test_an_in_app_row_without_a_link_of_the_shops_leads_to_the_order(office: Office) -> None:
    domain_event = a_domain_event(customer_id="C-5")

    office.hear(domain_event)

    assert office.rows.rows("SELECT user_id, link FROM in_app") == [
        {"user_id": "C-5", "link": f"/orders/{domain_event.order_id}"}
    ]


def test_the_operator_is_told_of_each_dead_event_and_unknown_mail_once(open_office: Open) -> None:
    office = open_office(operator_email="op@example.test", operator_locale="en", alert_interval=2.0)
    domain_event = a_domain_event()
    office.postman.plays(str(domain_event.contact), "hang up after dot")

    office.hear(a_dead_record("E-1"), a_dead_record("E-2"))
    until(lambda: office.postman.to("op@example.test"), lambda mails: len(mails) == 1)
    office.hear(a_dead_record("E-1"), known(domain_event), domain_event)
    published = until(lambda: office.postman.to("op@example.test"), lambda mails: len(mails) == 2)

    assert [mail["Subject"] for mail in published] == ["hookstream: 2 dead events", "hookstream: 1 unknown mail"]
    assert office.rows.rows("SELECT count(*) FROM operator_alerts WHERE mailed_at IS NULL") == [{"count": 0}]


def test_the_operator_hears_once_of_a_genuine_webhook_that_nobody_can_read(open_office: Open) -> None:
    office = open_office(operator_email="op@example.test", operator_locale="en", alert_interval=1.0)
    refused = a_quarantined_webhook("Q-1", detail="cashAmount is finer than KRW, which has 0 decimals")
    others = [
        a_quarantined_webhook("Q-2", cause="unsupported_type"),
        a_quarantined_webhook("Q-3", cause="other_mode"),
        a_quarantined_webhook("Q-4", verification="unsigned_allowed"),
        a_quarantined_webhook("Q-5", received_at=Micros(1_700_000_000_000_000)),
    ]

    office.hear(refused, *others)
    until(lambda: office.postman.to("op@example.test"), lambda mails: len(mails) == 1)
    office.hear(refused, a_dead_record("E-1"))
    published = until(lambda: office.postman.to("op@example.test"), lambda mails: len(mails) == 2)

    assert [mail["Subject"] for mail in published] == ["hookstream: 1 refused webhook", "hookstream: 1 dead event"]
    assert "cashAmount is finer than KRW" in published[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_a_letter_that_cannot_be_written_holds_up_no_other_whatever_its_error_says(office: Office) -> None:
    bad, good = a_domain_event(currency="K\x00W"), a_domain_event()
    office.hear(bad, known(bad))
    office.hear(good, known(good))

    assert "no ISO 4217 currency" in office.wait(bad, "failed")["error"]
    office.wait(good, "sent")


def test_a_replay_that_reads_first_that_a_mail_was_sent_takes_the_domain_event_all_the_same(office: Office) -> None:
    """As where the clocks of two machines differ, or the domain event failed at first."""
    domain_event = a_domain_event(customer_id=new_order())
    mail = ids.notification_id(domain_event.event_id, "customer", "email")
    office.replay(a_notification(mail, domain_event))
    office.replay(known(domain_event, customer_id=domain_event.customer_id))
    office.replay(domain_event)

    (row,) = office.rows.rows(
        "SELECT status, event ->> 'event_id' AS registers FROM notifications WHERE audience = 'customer'"
    )
    assert row == {"status": "sent", "registers": domain_event.event_id}
    assert office.rows.rows("SELECT user_id FROM in_app") == [{"user_id": domain_event.customer_id}]


def a_notification(mail: str, domain_event: DomainEvent) -> NotificationSent:
    return NotificationSent(
        notification_id=mail,
        event_id=domain_event.event_id,
        event_type=type(domain_event).__name__,
        audience="customer",
        channel="email",
        order_id=domain_event.order_id,
        customer_id=domain_event.customer_id,
        locale="ko",
        message_id="<1@example.test>",
        sent_at=Micros(clock.now()),
    )


def a_dead_record(event: str) -> DeadRecord:
    return DeadRecord(
        event_id=EventId(event),
        service="payment",
        topic="webhooks.payment.v1",
        partition=1,
        offset=2,
        key=None,
        value=b"?",
        error="no\0record",
        at=Micros(clock.now()),
    )


def a_quarantined_webhook(name: str, **said: Any) -> QuarantinedWebhook:
    """A genuine one of Tapayz that was refused just now, unless `said` says otherwise."""
    fields: dict[str, Any] = {
        "cause": "invalid_field",
        "detail": "state is missing",
        "verification": "signature",
        "received_at": clock.now(),
        **said,
    }
    return QuarantinedWebhook(
        event_id=EventId(ids.unreadable_body_id("tapayz", name.encode())),
        provider="tapayz",
        mode="test",
        path="/callback/update-invoice",
        headers={},
        raw=b"{}",
        **fields,
    )


def test_an_unknown_mail_is_sent_again_once_a_person_says_so_and_saying_it_twice_is_once(office: Office) -> None:
    domain_event = an_unknown_mail(office)
    wish = {"id": office.wait(domain_event, "unknown")["id"], "as": "send_again"}

    first = office.desk["POST", "/mails/resolve"](wish)
    office.wait(domain_event, "sent")
    again = office.desk["POST", "/mails/resolve"](wish)

    assert (first, again) == (
        {"id": wish["id"], "status": "queued", "changed": True},
        {"id": wish["id"], "status": "sent", "changed": False},
    )
    assert len(office.postman.to(str(domain_event.contact))) == 1


def test_an_unknown_mail_that_arrived_is_told_to_the_topic_once_a_person_says_so(
    office: Office, system: dict[str, str]
) -> None:
    domain_event = an_unknown_mail(office)
    wish = {"id": office.wait(domain_event, "unknown")["id"], "as": "sent"}

    with reading(system, topics.NOTIFICATIONS) as published:
        first, again = (office.desk["POST", "/mails/resolve"](wish) for _ in range(2))
        record = published.wait_for(lambda one: one.notification_id == wish["id"])
        later = a_domain_event()
        office.hear(known(later), later)
        published.wait_for(lambda one: one.event_id == later.event_id)

    assert (first, again) == (
        {"id": wish["id"], "status": "sent", "changed": True},
        {"id": wish["id"], "status": "sent", "changed": False},
    )
    assert [one for one in published.records if one.notification_id == wish["id"]] == [record]
    assert office.postman.tried[str(domain_event.contact)] == 1


def test_only_what_nobody_can_tell_is_resolved(office: Office) -> None:
    domain_event = a_domain_event()
    office.hear(known(domain_event), domain_event)
    name = office.wait(domain_event, "sent")["id"]

    for requested, status in (
        ({"id": name, "as": "sent"}, 409),
        ({"id": name, "as": "send_again"}, 409),
        ({"id": name, "as": "lost"}, 400),
        ({"id": "x", "as": "sent"}, 400),
        ({"id": ids.uuid5("nobody"), "as": "sent"}, 404),
    ):
        with pytest.raises(RequestRefused) as refused:
            office.desk["POST", "/mails/resolve"](requested)
        assert refused.value.status == status


def test_mails_that_need_somebody_are_listed_and_shown_with_their_words(office: Office) -> None:
    domain_event = an_unknown_mail(office)

    listed = said_as_json(office.desk["GET", "/mails"]({}))
    shown = said_as_json(office.desk["GET", "/mail"]({"id": listed["mails"][0]["id"]}))

    assert [mail["order_id"] for mail in listed["mails"]] == [domain_event.order_id]
    assert listed["counts"]["unknown"] == 1
    assert (shown["recipient"], shown["subject"]) == (
        domain_event.contact,
        f"주문 {domain_event.order_id}: 결제가 완료되었습니다",
    )
    assert "58,000원" in shown["text"]
    for requested in ({"status": "lost"}, {"limit": "0"}, {"limit": "²"}):
        with pytest.raises(RequestRefused):
            office.desk["GET", "/mails"](requested)


def said_as_json(said: object) -> Any:
    return json.loads(json.dumps(said))


def an_unknown_mail(office: Office) -> PaymentCompleted:
    domain_event = a_domain_event()
    office.postman.plays(str(domain_event.contact), "hang up after dot")
    office.hear(known(domain_event), domain_event)
    office.wait(domain_event, "unknown")
    return domain_event
