"""An order's life as each provider tells it, by the provider's name. Pure; the bodies follow their samples.

The shop tells its order first, so that mails find their reader; then the provider tells what it has to tell.
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
