"""The webhooks of one order for each provider, by the provider's name. Pure; the bodies follow the samples.

The shop posts its order first, because mails need its addresses. The provider's webhooks follow.
"""

from collections.abc import Callable, Mapping

from simulator.order import SimulatedOrder
from simulator.stories import invoices, parcels, payments, stripe, subscriptions
from simulator.story import SimulatedWebhook, life, ordered

Story = Callable[[SimulatedOrder], tuple[SimulatedWebhook, ...]]

STORIES: Mapping[str, Story] = {
    "generic": life,
    "shop": lambda order: (ordered(order),),
    **payments.STORIES,
    **stripe.STORIES,
    **subscriptions.STORIES,
    **invoices.STORIES,
    **parcels.STORIES,
}
