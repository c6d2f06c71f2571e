"""Aliases: the providers' own ids of payments. An alias maps to an order, or holds pending state until it is mapped.

Pure; `stream.store.alias_store` stores them.
"""

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Generic, TypeVar

import msgspec

from stream.events import OrderId

S = TypeVar("S")
AliasKey = tuple[str, str]
"""A provider, and its id of a payment."""
NO_ORDER = OrderId("")
"""The order id of state that is pending under an alias."""


class Alias(msgspec.Struct, Generic[S], frozen=True):
    """An alias: the order it maps to, or the state and event ids pending until it is mapped.

    `pending` is the state that the events with the ids in `waiting` made.
    """

    order_id: OrderId | None = None
    pending: S | None = None
    waiting: tuple[str, ...] = ()


def alias_keys(provider: str, alias: str | None, aliases: Iterable[str]) -> list[AliasKey]:
    """Return the distinct keys of `alias`, unless it is None, and then `aliases`: a payment's ids at its provider."""
    return [(provider, name) for name in dict.fromkeys([*([alias] if alias else []), *aliases])]


def order_of(aliases: Mapping[AliasKey, Alias[S]], keys: Iterable[AliasKey]) -> OrderId | None:
    """Return the order of the first alias in `keys` that is mapped to one; None when none is.

    Raises KeyError for a key that is not in `aliases`.
    """
    return next(filter(None, (aliases[key].order_id for key in keys)), None)


def map_to_order(
    aliases: MutableMapping[AliasKey, Alias[S]], keys: Iterable[AliasKey], order_id: OrderId
) -> list[Alias[S]]:
    """Map those aliases in `keys` that are not mapped yet to the order, by replacing them in `aliases`.

    Return the aliases that were replaced, with their pending states. Raises KeyError for a key not in `aliases`.
    """
    unmapped = [key for key in keys if aliases[key].order_id is None]
    pending = [aliases[key] for key in unmapped]
    mapped: Alias[S] = Alias(order_id)
    aliases.update(dict.fromkeys(unmapped, mapped))
    return pending
