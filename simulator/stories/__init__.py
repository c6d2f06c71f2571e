"""The webhooks of one order for each provider, by the provider's name. Pure; the bodies follow the samples.

The shop posts its order first, because mails need its addresses. The provider's webhooks follow.
"""

from collections.abc import Callable, Mapping

from simulator.stories import invoices, parcels, payments, subscriptions
from simulator.story import Order, Webhook, life, ordered

Story = Callable[[Order], tuple[Webhook, ...]]

STORIES: Mapping[str, Story] = {
    "generic": life,
    "shop": lambda order: (ordered(order),),
    **payments.STORIES,
    **subscriptions.STORIES,
    **invoices.STORIES,
    **parcels.STORIES,
}
