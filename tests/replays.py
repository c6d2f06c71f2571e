"""Replays as an operator starts them, by the services' command lines; and histories for them to read."""

import random
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from cli.clients.offsets import Kafka
from local import services
from local.paths import Paths
from stream.events import OrderWebhook, Webhook, topics
from stream.events.topics import Topic
from stream.kafka.cluster import Cluster
from tests.actors import until
from tests.builders import MINUTE, NOON, a_payment, an_order
from tests.log import CODEC, Writer

ROOT = Path(__file__).parent.parent
SERVICES = {service.name: service for service in services.SERVICES}
TopicRecord = tuple[Topic, str, Webhook]
"""A topic, the key and the value of a record."""


def start(system: dict[str, str], service: str, *words: str) -> "subprocess.Popen[str]":
    """Start a service's command line with these arguments, such as `replay --into r1`; do not wait for its end."""
    program = services.program(SERVICES[service], Paths(ROOT, Path(system["RUN_FOLDER"])), system)
    return subprocess.Popen(
        [*program.argv, *words],
        cwd=ROOT,
        env=program.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ask(system: dict[str, str], service: str, *words: str) -> str:
    """Run a service's command line with these arguments and return its output; the exit code must be 0."""
    process = start(system, service, *words)
    output, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    return output


def refusal(system: dict[str, str], service: str, *words: str) -> str:
    """Run a service's command line with these arguments and return its error output; the exit code must not be 0."""
    process = start(system, service, *words)
    _, errors = process.communicate(timeout=240)
    assert process.returncode != 0, "it was done"
    return errors


def a_history(run: str, orders: int, *, seed: int = 0) -> tuple[list[TopicRecord], list[TopicRecord]]:
    """Return a history of `orders` orders in two phases: in disorder, a tenth twice, some payments only by an alias.

    The first phase has the shop's orders of a wrong amount, on whose arrival before the payment the domain events
    depend; the second has all others. The same seed gives the same history.
    """
    chance = random.Random(seed)  # noqa: S311 - a test's disorder
    events = [event for number in range(orders) for event in _life(f"{run}-{number}", number, chance)]
    events += [event for event in events if chance.random() < 0.1]
    chance.shuffle(events)
    return [event for event in events if _is_odd(event)], [event for event in events if not _is_odd(event)]


def _is_odd(published: TopicRecord) -> bool:
    _, _, webhook = published
    return isinstance(webhook, OrderWebhook) and bool((webhook.payload.amount or 0) % 2)


def _life(order: str, number: int, chance: random.Random) -> Iterator[TopicRecord]:
    amount = 1000 + 2 * number
    ordered = amount if number % 7 else amount + 1  # every seventh is paid with another amount
    if number % 3:
        yield _of_shop(order, ordered)
    yield _paid(order, "pending", amount, NOON)
    named = {"alias": f"REF-{order}", "order": None} if number % 5 == 0 else {"order": order}
    yield _paid(order, "failed" if number % 11 == 0 else "completed", amount, NOON + MINUTE, **named)
    if number % 5 == 0:
        yield _paid(order, "pending", amount, NOON - MINUTE, alias=f"REF-{order}")
    elif chance.random() < 0.3:
        yield _paid(order, "cancelled", amount, NOON + 2 * MINUTE)


def _of_shop(order: str, amount: int) -> TopicRecord:
    published = an_order(order=order, name=f"order {order}", amount=amount, currency="KRW", customer_email=None)
    return topics.ORDERS, order, published


def _paid(life: str, status: str, amount: int, at: int, **stated: object) -> TopicRecord:
    name = f"{life} {status} {at} {sorted(stated)}"
    published = a_payment(status, name=name, at=at, amount=amount, **{"order": life, **stated})  # type: ignore[arg-type]
    return topics.PAYMENT_WEBHOOKS, topics.PAYMENT_WEBHOOKS.key(published), published


def until_handled(system: dict[str, str], *services: str) -> None:
    """Wait until these services have no lag. Raises as `until`."""
    kafka = Kafka(Cluster.of_environment(system, "tests"))
    for service in services:
        until(lambda service=service: kafka.lag(service, kafka.end_offsets()), lambda lag: lag == 0)  # type: ignore[misc]


def append(log: Writer, history: Sequence[TopicRecord]) -> None:
    """Append the records of a history to their topics, and wait until Kafka has them."""
    for topic, key, published in history:
        log.producer.produce(topic.name, CODEC.encode(published), key.encode())
        log.producer.poll(0)
    assert log.producer.flush(30) == 0
