"""The webhooks of one order for each provider, by the provider's name. Pure; the bodies follow the samples.

The shop posts its order first, because mails need its addresses. The provider's webhooks follow.
"""

from collections.abc import Callable, Mapping

from simulator.order import Order
from simulator.stories import invoices, parcels, payments, stripe, subscriptions
from simulator.story import Webhook, life, ordered

Story = Callable[[Order], tuple[Webhook, ...]]

STORIES: Mapping[str, Story] = {
    "generic": life,
    "shop": lambda order: (ordered(order),),
    **payments.STORIES,
    **stripe.STORIES,
    **subscriptions.STORIES,
    **invoices.STORIES,
    **parcels.STORIES,
}
