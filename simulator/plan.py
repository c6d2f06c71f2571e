"""How a run is to be played: how many orders, in which languages, in what disorder, and what is sent twice. Pure."""

from dataclasses import dataclass
from datetime import datetime
from random import Random

from simulator.stories import STORIES
from simulator.story import LOCALES, Order, Webhook

Step = tuple[Webhook, ...]
"""Webhooks posted at once, each before the previous one was answered."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`run` is a short token that makes the order ids its own; `rate` is in webhooks a second, None as fast as it goes.

    `duplicates` is the share of webhooks that are sent again; with `disorder` an order's life comes in any order.
    `provider` is whose webhooks tell it, one of STORIES.
    """

    run: str
    now: datetime
    orders: int = 1
    rate: float | None = None
    duplicates: float = 0.0
    disorder: bool = False
    seed: int = 0
    locales: tuple[str, ...] = LOCALES
    provider: str = "generic"


@dataclass(frozen=True, slots=True)
class Life:
    """One order's webhooks, step after step."""

    order: Order
    steps: tuple[Step, ...]

    @property
    def webhooks(self) -> tuple[Webhook, ...]:
        """Each once, however often it is sent."""
        return tuple(dict.fromkeys(webhook for step in self.steps for webhook in step))


def lives(plan: Plan) -> tuple[Life, ...]:
    """The orders of the plan; the same plan gives the same lives."""
    chance = Random(plan.seed)  # noqa: S311 - the same seed shall give the same disorder
    orders = (
        Order(plan.run, number, plan.locales[(number - 1) % len(plan.locales)], plan.now)
        for number in range(1, plan.orders + 1)
    )
    story = STORIES[plan.provider]
    return tuple(Life(order, _steps(plan, story(order), chance)) for order in orders)


def _steps(plan: Plan, webhooks: tuple[Webhook, ...], chance: Random) -> tuple[Step, ...]:
    """Of the webhooks sent again, one half comes beside the first, the other half after everything."""
    if plan.disorder:
        webhooks = tuple(chance.sample(webhooks, len(webhooks)))
    steps: list[Step] = []
    again: list[Step] = []
    for webhook in webhooks:
        twice = chance.random() < plan.duplicates
        at_once = twice and chance.random() < 0.5  # noqa: PLR2004 - one half
        steps.append((webhook, webhook) if at_once else (webhook,))
        again += [(webhook,)] if twice and not at_once else []
    return (*steps, *again)
