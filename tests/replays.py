"""Replays as a person starts them: the services' own command lines; and histories for them to read."""

import random
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from cli.clients.offsets import Kafka
from local import services
from local.paths import Paths
from stream.events import OrderWebhook, Webhook, topics
from stream.events.topics import Topic
from stream.kafka.client_config import Cluster
from tests.actors import until
from tests.builders import MINUTE, NOON, a_payment, an_order
from tests.log import CODEC, Writer

ROOT = Path(__file__).parent.parent
SERVICES = {service.name: service for service in services.SERVICES}
Told = tuple[Topic, str, Webhook]


def start(system: dict[str, str], service: str, *words: str) -> "subprocess.Popen[str]":
    """Begin a verb of a service, such as `replay --into r1`."""
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
    """What a verb of a service says; it must succeed."""
    process = start(system, service, *words)
    said, complaint = process.communicate(timeout=240)
    assert process.returncode == 0, complaint
    return said


def refusal(system: dict[str, str], service: str, *words: str) -> str:
    """Why a verb of a service cannot be done; it must be refused."""
    process = start(system, service, *words)
    _, complaint = process.communicate(timeout=240)
    assert process.returncode != 0, "it was done"
    return complaint


def a_history(run: str, orders: int, *, seed: int = 0) -> tuple[list[Told], list[Told]]:
    """What befell so many orders: told in disorder, a part twice, some by the provider's own name before the order's.

    In two acts: where it matters for what is announced, the shop speaks first.
    """
    chance = random.Random(seed)  # noqa: S311 - a test's disorder
    events = [event for number in range(orders) for event in _life(f"{run}-{number}", number, chance)]
    events += [event for event in events if chance.random() < 0.1]
    chance.shuffle(events)
    return [event for event in events if _is_odd(event)], [event for event in events if not _is_odd(event)]


def _is_odd(published: Told) -> bool:
    _, _, webhook = published
    return isinstance(webhook, OrderWebhook) and bool((webhook.payload.amount or 0) % 2)


def _life(order: str, number: int, chance: random.Random) -> Iterator[Told]:
    amount = 1000 + 2 * number
    asked = amount if number % 7 else amount + 1  # every seventh is paid otherwise than asked
    if number % 3:
        yield _of_shop(order, asked)
    yield _paid(order, "pending", amount, NOON)
    named = {"alias": f"REF-{order}", "order": None} if number % 5 == 0 else {"order": order}
    yield _paid(order, "failed" if number % 11 == 0 else "completed", amount, NOON + MINUTE, **named)
    if number % 5 == 0:
        yield _paid(order, "pending", amount, NOON - MINUTE, alias=f"REF-{order}")
    elif chance.random() < 0.3:
        yield _paid(order, "cancelled", amount, NOON + 2 * MINUTE)


def _of_shop(order: str, amount: int) -> Told:
    published = an_order(order=order, name=f"order {order}", amount=amount, currency="KRW", customer_email=None)
    return topics.ORDERS, order, published


def _paid(life: str, status: str, amount: int, at: int, **said: object) -> Told:
    name = f"{life} {status} {at} {sorted(said)}"
    published = a_payment(status, name=name, at=at, amount=amount, **{"order": life, **said})  # type: ignore[arg-type]
    return topics.PAYMENT_WEBHOOKS, topics.PAYMENT_WEBHOOKS.key(published), published


def until_handled(system: dict[str, str], *services: str) -> None:
    """Wait until these services have nothing left to read."""
    kafka = Kafka(Cluster.of_environment(system, "tests"))
    for service in services:
        until(lambda service=service: kafka.lag(service, kafka.end_offsets()), lambda lag: lag == 0)  # type: ignore[misc]


def append(log: Writer, history: Sequence[Told]) -> None:
    """Put all of it on its topics."""
    for topic, key, published in history:
        log.producer.produce(topic.name, CODEC.encode(published), key.encode())
        log.producer.poll(0)
    assert log.producer.flush(30) == 0
