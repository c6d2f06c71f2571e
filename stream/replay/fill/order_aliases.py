"""What a replay of some orders alone has to read: what names them, and what names a payment or parcel of theirs."""

from collections.abc import Iterator

from stream.events import Webhook
from stream.kafka.delivery import Delivery


class Wanted:
    """The orders asked for, and the other names that records tell of them: providers' references, parcels.

    A record that names a wanted order tells its other names; one that bears such a name and no order is of it too, and
    may tell further names. So the topics are read until they tell no new one.
    """

    def __init__(self, orders: tuple[str, ...]) -> None:
        self._orders = frozenset(orders)
        self._names: set[str] = set(orders)

    @property
    def count(self) -> int:
        """How many names are known by now."""
        return len(self._names)

    def has(self, one: Delivery) -> bool:
        """Whether a record is of these orders; if so its other names are known from now on."""
        names, orders = set(_names(one)), set(_orders(one))
        key = (one.key or b"").decode(errors="replace")
        if key in self._names or orders & self._orders or (not orders and names & self._names):
            self._names |= names | ({key} if isinstance(one.event, Webhook) else set())
            return True
        return False


def _orders(one: Delivery) -> Iterator[str]:
    """The order or invoice that a record names itself."""
    said = getattr(one.event, "notice", one.event)
    yield from filter(None, (getattr(said, "order_id", None), getattr(said, "invoice_id", None)))


def _names(one: Delivery) -> Iterator[str]:
    """What the provider calls the payment or the transfer that a record is about."""
    said = getattr(one.event, "notice", one.event)
    provider = one.event.envelope.provider if isinstance(one.event, Webhook) else getattr(said, "provider", None)
    given = (getattr(said, "reference", None), getattr(said, "transaction_id", None), *getattr(said, "references", ()))
    yield from (f"{provider}:{name}" for name in given if provider and name)
