"""Aliases: the providers' own ids of payments. An alias maps to an order, or holds pending state until it is mapped.

Pure; `stream.store.alias_store` stores them.
"""

from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from typing import Generic, TypeVar

S = TypeVar("S")
AliasKey = tuple[str, str]
"""A provider, and its id of a payment."""


@dataclass(frozen=True)
class Alias(Generic[S]):
    """An alias: the order it maps to, or the state and event ids pending until it is mapped.

    `orphan` is the pending state, `waiting` are the ids of the pending events.
    """

    order_id: str | None = None
    orphan: S | None = None
    waiting: tuple[str, ...] = ()


def alias_keys(provider: str, reference: str | None, references: Iterable[str]) -> list[AliasKey]:
    """Return the keys of all aliases of a payment at its provider, without duplicates; that of `reference` first."""
    return [(provider, name) for name in dict.fromkeys([*([reference] if reference else []), *references])]


def order_of(names: MutableMapping[AliasKey, Alias[S]], known: Iterable[AliasKey]) -> str | None:
    """Return the order of the first of the `known` aliases that is mapped to one; None when no alias is."""
    return next(filter(None, (names[name].order_id for name in known)), None)


def map_to_order(names: MutableMapping[AliasKey, Alias[S]], known: Iterable[AliasKey], order_id: str) -> list[Alias[S]]:
    """Map the unmapped of the `known` aliases to the order, in `names`; return their previous, pending states."""
    unmapped = [key for key in known if names[key].order_id is None]
    pending = [names[key] for key in unmapped]
    mapped: Alias[S] = Alias(order_id)
    names.update(dict.fromkeys(unmapped, mapped))
    return pending
