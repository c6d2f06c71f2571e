"""The plan of a run: number of orders, languages, order of webhooks, duplicates. Pure."""

from dataclasses import dataclass
from datetime import datetime
from random import Random

from simulator import defaults
from simulator.order import LOCALES, SimulatedOrder
from simulator.stories import STORIES
from simulator.story import SimulatedWebhook

Step = tuple[SimulatedWebhook, ...]
"""Webhooks that are posted concurrently."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The webhooks to post in a run.

    `run` is a short token that makes its order ids unique. `rate` is in webhooks a second; None means as fast as they
    are answered. `duplicates` is the share of webhooks to send twice, from 0 to 1. With `disorder`, the webhooks of an
    order are shuffled. `provider` is a key of STORIES.
    """

    run: str
    now: datetime
    orders: int = defaults.ORDERS
    rate: float | None = None
    duplicates: float = defaults.DUPLICATES
    disorder: bool = False
    seed: int = defaults.SEED
    locales: tuple[str, ...] = LOCALES
    provider: str = defaults.PROVIDER


@dataclass(frozen=True, slots=True)
class Life:
    """One order and its webhooks, in steps that are posted one after the other."""

    order: SimulatedOrder
    steps: tuple[Step, ...]

    @property
    def webhooks(self) -> tuple[SimulatedWebhook, ...]:
        """Each webhook of the order once, even if it is sent twice."""
        return tuple(dict.fromkeys(webhook for step in self.steps for webhook in step))


def lives(plan: Plan) -> tuple[Life, ...]:
    """Return a Life for each order of the plan. The same plan always gives the same result."""
    random = Random(plan.seed)  # noqa: S311 - not a secret
    orders = (
        SimulatedOrder(plan.run, number, plan.locales[(number - 1) % len(plan.locales)], plan.now)
        for number in range(1, plan.orders + 1)
    )
    story = STORIES[plan.provider]
    return tuple(Life(order, _steps(plan, story(order), random)) for order in orders)


def _steps(plan: Plan, webhooks: tuple[SimulatedWebhook, ...], random: Random) -> tuple[Step, ...]:
    """Return the steps of an order's webhooks, shuffled and some of them twice, as the plan says.

    Half of the copies are posted together with the original, half at the end.
    """
    if plan.disorder:
        webhooks = tuple(random.sample(webhooks, len(webhooks)))
    steps: list[Step] = []
    repeated: list[Step] = []
    for webhook in webhooks:
        twice = random.random() < plan.duplicates
        at_once = twice and random.random() < 0.5  # noqa: PLR2004 - one half
        steps.append((webhook, webhook) if at_once else (webhook,))
        repeated += [(webhook,)] if twice and not at_once else []
    return (*steps, *repeated)
