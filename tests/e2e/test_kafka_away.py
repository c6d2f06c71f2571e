"""Kafka away: nobody is told that a webhook is safe when it is not, everybody is told soon, and the retry goes through.

On a broker of its own, of this machine, since it is frozen and killed.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from local import stack
from providers.tapayz import webhook as tapayz
from stream.events import Outcome, topics
from tests.actors import Inbox, Reply, Shop, Store, new_order, until
from tests.contract.sender import sender as sender_of
from tests.failing import post
from tests.log import reading
from tests.processes import forget_group, frozen, kill
from tests.replicas import replicas_of
from tests.unit.providers.mutations import sample

TOPICS = topics.service("payment").reads

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
PROMISED_S = 3.5
SLACK_S = 1.0  # of a machine that runs other things as well
AT_ONCE_S = 0.5
TIMEOUT_S = 90.0


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A system of its own."""
    data = tmp_path_factory.mktemp("away")
    with stack.everything(ROOT, data) as env:
        yield env | {"RUN_FOLDER": str(data)}


@pytest.fixture
def sender(fragile: dict[str, str]) -> Shop:
    """The shop, as it posts there."""
    return Shop(fragile["GATEWAY_URL"], fragile["WEBHOOK_SECRET"])


def test_while_the_broker_is_frozen_webhooks_are_refused_soon_and_their_retries_go_through(
    fragile: dict[str, str], sender: Shop
) -> None:
    order, customer = a_known_order(sender)

    with frozen(fragile, "KAFKA"):
        first, waited = timed(lambda: pay(sender, order))
        later, waited_later = timed(lambda: pay(sender, order))
        forged = sender.post("payment", {"orderId": order, "status": "completed"}, X_Webhook_Signature="00")
        ready = sender.request("GET", "/health/ready", None, {})
    print(f"the first 503 after {waited:.2f} s, the next after {waited_later:.3f} s")  # noqa: T201

    assert_refused(first, later)
    assert waited < PROMISED_S + SLACK_S
    assert waited_later < AT_ONCE_S
    assert (forged.status, ready.status) == (401, 503)
    assert_told_once(fragile, sender, order, customer)


def test_not_one_of_many_senders_waits_longer_or_is_told_that_a_webhook_is_safe(
    fragile: dict[str, str], sender: Shop
) -> None:
    order, customer = a_known_order(sender)

    with frozen(fragile, "KAFKA"), ThreadPoolExecutor(50) as senders:
        answers = list(senders.map(lambda _: timed(lambda: pay(sender, order)), range(50)))
    print(f"50 senders: 503 after at most {max(waited for _, waited in answers):.2f} s")  # noqa: T201

    assert_refused(*(reply for reply, _ in answers))
    assert max(waited for _, waited in answers) < PROMISED_S + SLACK_S
    assert_told_once(fragile, sender, order, customer)


def test_a_genuine_webhook_nobody_can_read_is_not_refused_for_good_before_its_bytes_are_safe(
    fragile: dict[str, str], sender: Shop
) -> None:
    unreadable = {"orderId": new_order(), "status": "unheard of"}

    with frozen(fragile, "KAFKA"):
        away = sender.post("payment", unreadable)

    assert_refused(away)
    back = until(lambda: sender.post("payment", unreadable), lambda reply: reply.status != 503, TIMEOUT_S)
    assert (back.status, back.body["error"]) == (400, "invalid_field")


def test_while_the_broker_is_frozen_tapayz_hears_its_own_words_and_its_retry_goes_through(
    fragile: dict[str, str],
) -> None:
    tapayz_ = sender_of(fragile, tapayz.PROVIDER)
    path, body = "/callback/update-invoice", sample("tapayz", "invoice.updated.Pending")

    with frozen(fragile, "KAFKA"):
        away = tapayz_.post(path, body)

    assert (away.status, away.body) == (500, {"error": "Internal server error"})
    back = until(lambda: tapayz_.post(path, body), lambda reply: reply.status != 500, TIMEOUT_S)
    assert (back.status, back.body) == (200, {"status": "ok"})


def test_when_the_broker_is_killed_the_senders_retries_go_through_once_it_is_back(
    fragile: dict[str, str], sender: Shop
) -> None:
    order, customer = a_known_order(sender)
    heard: list[tuple[Reply, float]] = []

    with ThreadPoolExecutor(1) as beside:
        killing = beside.submit(kill, fragile, "KAFKA")
        while not (killing.done() and heard and heard[-1][0].status == 200):
            heard.append(timed(lambda: pay(sender, order)))
            time.sleep(0.1)
    slowest = max(waited for _, waited in heard)
    print(f"killed: {Counter(reply.status for reply, _ in heard)}, the slowest answered after {slowest:.2f} s")  # noqa: T201

    assert {reply.status for reply, _ in heard} <= {200, 503}  # 200: before it was gone
    assert_refused(*(reply for reply, _ in heard if reply.status != 200))
    assert slowest < PROMISED_S + SLACK_S
    assert_told_once(fragile, sender, order, customer)


def test_what_became_of_a_retried_webhook_is_told_though_its_worker_died_before_it_could(
    fragile: dict[str, str], sender: Shop
) -> None:
    order, _ = a_known_order(sender)
    store, refuses = Store(fragile["PAYMENT_DATABASE_URL"]), refusing(fragile, order)

    with reading(fragile, topics.OUTCOMES) as outcomes, ExitStack() as failing:
        failing.enter_context(refuses)
        until(lambda: pay(sender, order), lambda reply: reply.status == 200, TIMEOUT_S)
        first = outcomes.wait_for(lambda one: one.outcome == "retrying")
        ((tries,),) = (row.values() for row in store.rows(NO_MORE_TRIES, first.event_id))
        outcomes.wait_for(lambda one: (one.event_id, one.attempt) == (first.event_id, tries))
        kill(fragile, "KAFKA")  # one that is only frozen would still find what was sent to it meanwhile
        with frozen(fragile, "KAFKA"):
            failing.close()
            store.rows(TRY_NOW, first.event_id)
            store.wait_for("SELECT 1 FROM payments WHERE order_id = %s", order)
            kill(fragile, "PAYMENT")
        until(outcomes.read, lambda published: any(done(one, first.event_id) for one in published), TIMEOUT_S)


def test_a_worker_that_cannot_tell_what_it_has_done_says_so_and_tells_it_when_kafka_is_back(
    fragile: dict[str, str], sender: Shop
) -> None:
    order, customer = a_known_order(sender)

    with replicas_of(fragile, "payment", len(TOPICS)) as processors:
        processor = processors.only("worker.after_commit:stop")
        until(lambda: pay(sender, order), lambda reply: reply.status == 200, TIMEOUT_S)
        processor.is_frozen_by_its_fault()
        with frozen(fragile, "KAFKA"):
            processor.thaw()
            (problem,) = until(processor.problems, bool)
        until(processor.problems, lambda now: not now)
        assert_told_once(fragile, sender, order, customer)

    assert "producer has received nothing from Kafka" in problem


NO_MORE_TRIES = "UPDATE retries SET next_attempt_at = 'infinity' WHERE event_id = %s RETURNING attempts"
TRY_NOW = "UPDATE retries SET next_attempt_at = now() WHERE event_id = %s RETURNING 1"


def done(published: Outcome, event_id: str) -> bool:
    return (published.event_id, published.outcome) == (event_id, "processed") and published.attempt > 1


def test_mails_that_are_due_are_sent_while_the_broker_is_frozen(fragile: dict[str, str], sender: Shop) -> None:
    """Kafka is not told of the first meanwhile, and the others do not wait for that."""
    order, customer = a_known_order(sender)
    assert_told_once(fragile, sender, order, customer)
    rows, inbox = Store(fragile["NOTIFIER_DATABASE_URL"]), Inbox(fragile["INBOX_URL"])
    mail, *_ = [row["id"] for row in rows.wait_for(SENT, order, count=2)]

    with reading(fragile, topics.NOTIFICATIONS) as published:
        repeated: set[str] = set()
        with frozen(fragile, "KAFKA"):
            for arrived in (3, 4, 5):
                wish = {"id": mail, "decision": f"the customer has asked for it: {arrived}"}
                repeated.add(post(fragile, "notifier", "/mails/send-again", wish).body["id"])
                inbox.wait_for(customer, arrived)
        published.wait_until(lambda sent: repeated <= {one.notification_id for one in sent})

    assert len(repeated) == 3


SENT = "SELECT notification_id::text AS id FROM notifications WHERE order_id = %s AND status = 'sent'"


def test_a_worker_whose_group_kafka_has_forgotten_begins_anew_and_does_nothing_twice(
    fragile: dict[str, str], sender: Shop
) -> None:
    order, customer = a_known_order(sender)
    assert_told_once(fragile, sender, order, customer)

    forget_group(fragile, "PAYMENT")

    order, customer = a_known_order(sender)
    assert_told_once(fragile, sender, order, customer)


@contextmanager
def refusing(system: dict[str, str], order: str) -> Iterator[None]:
    """A store that refuses this order's payment, as after a bad migration."""
    with psycopg.connect(system["PAYMENT_DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f"ALTER TABLE payments ADD CONSTRAINT refusing CHECK (order_id <> '{order}')".encode())
        yield
        connection.execute("ALTER TABLE payments DROP CONSTRAINT refusing")


def a_known_order(sender: Shop) -> tuple[str, str]:
    order = new_order()
    customer = f"{order.lower()}@example.test"
    known = {"orderId": order, "customerEmail": customer, "amount": 58000}
    until(lambda: sender.post("order", known), lambda reply: reply.status == 200, TIMEOUT_S)
    return order, customer


def pay(sender: Shop, order: str, status: str = "completed") -> Reply:
    return sender.post("payment", {"orderId": order, "status": status, "amount": 58000, "transactionId": "T-1"})


def timed(post: Callable[[], Reply]) -> tuple[Reply, float]:
    began = time.monotonic()
    return post(), time.monotonic() - began


def assert_refused(*replies: Reply) -> None:
    assert [reply for reply in replies if (reply.status, reply.headers.get("retry-after")) != (503, "5")] == []
    assert {reply.body["error"] for reply in replies} <= {"unavailable"}


def assert_told_once(system: dict[str, str], sender: Shop, order: str, customer: str) -> None:
    """The retry is accepted; then there is one row, and one mail of it, however many records there were."""
    until(lambda: pay(sender, order), lambda reply: reply.status == 200, TIMEOUT_S)
    payments, inbox = Store(system["PAYMENT_DATABASE_URL"]), Inbox(system["INBOX_URL"])
    until(
        lambda: payments.rows("SELECT status, amount FROM payments WHERE order_id = %s", order),
        lambda rows: rows == [{"status": "completed", "amount": 58000}],
        TIMEOUT_S,
    )
    until(lambda: inbox.mails_to(customer), bool, TIMEOUT_S)

    until(lambda: pay(sender, order, "cancelled"), lambda reply: reply.status == 200)
    mails = inbox.wait_for(customer, count=2)  # what was to come of the payment came before
    assert sorted(mail["Subject"] for mail in mails) == [
        f"주문 {order}: 결제가 완료되었습니다",
        f"주문 {order}: 결제가 취소되었습니다",
    ]
    history = payments.rows("SELECT count(*) AS n FROM payment_history WHERE order_id = %s", order)
    assert history == [{"n": 2}]
