"""Selects the records of some orders: those that name the order, or an alias of its payment or parcel."""

from collections.abc import Iterator

from stream.events import Webhook
from stream.kafka.delivery import Delivery


class OrderAliases:
    """The selected orders, and the aliases that records give them: ids at providers, and keys of parcels.

    A record that names a selected order adds its aliases. A record that names such an alias and no order belongs to the
    order too, and may add further aliases. So the caller reads the topics until `count` no longer grows.
    """

    def __init__(self, orders: tuple[str, ...]) -> None:
        self._orders = frozenset(orders)
        self._aliases: set[str] = set(orders)

    @property
    def count(self) -> int:
        """The number of known orders and aliases."""
        return len(self._aliases)

    def include(self, delivery: Delivery) -> bool:
        """Add the aliases of a record that belongs to these orders, and return True; return False for any other."""
        aliases, orders = set(_aliases(delivery)), set(_orders(delivery))
        key = (delivery.key or b"").decode(errors="replace")
        if key in self._aliases or orders & self._orders or (not orders and aliases & self._aliases):
            self._aliases |= aliases | ({key} if isinstance(delivery.event, Webhook) else set())
            return True
        return False


def _orders(delivery: Delivery) -> Iterator[str]:
    """Yield the ids of the order and the invoice that a record names."""
    fields = getattr(delivery.event, "payload", delivery.event)
    yield from filter(None, (getattr(fields, "order_id", None), getattr(fields, "invoice_id", None)))


def _aliases(delivery: Delivery) -> Iterator[str]:
    """Yield the ids that the provider gives to the record's payment or transfer, each as `provider:id`."""
    event = delivery.event
    fields = getattr(event, "payload", event)
    provider = event.envelope.provider if isinstance(event, Webhook) else getattr(fields, "provider", None)
    ids = (
        getattr(fields, "alias", None),
        getattr(fields, "transaction_id", None),
        *getattr(fields, "aliases", ()),
    )
    yield from (f"{provider}:{alias}" for alias in ids if provider and alias)
