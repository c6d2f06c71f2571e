"""The providers' own names for payments: each stands for an order once one is told, and until then holds what was said.

Pure; `stream.store.alias_store` keeps them.
"""

from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from typing import Generic, TypeVar

S = TypeVar("S")
AliasKey = tuple[str, str]
"""A provider, and what it calls a payment."""


@dataclass(frozen=True)
class Alias(Generic[S]):
    """What a name stands for: an order, or while none is known what was told under it, and the events that wait."""

    order_id: str | None = None
    orphan: S | None = None
    waiting: tuple[str, ...] = ()


def alias_keys(provider: str, reference: str | None, references: Iterable[str]) -> list[AliasKey]:
    """All names of a payment at its provider, the one it goes by first."""
    return [(provider, name) for name in dict.fromkeys([*([reference] if reference else []), *references])]


def order_of(names: MutableMapping[AliasKey, Alias[S]], known: Iterable[AliasKey]) -> str | None:
    """The order that one of these names stands for."""
    return next(filter(None, (names[name].order_id for name in known)), None)


def map_to_order(names: MutableMapping[AliasKey, Alias[S]], known: Iterable[AliasKey], order_id: str) -> list[Alias[S]]:
    """Let these names stand for the order; those that did not before, with what was told under them."""
    learned = [name for name in known if names[name].order_id is None]
    before = [names[name] for name in learned]
    stands: Alias[S] = Alias(order_id)
    names.update(dict.fromkeys(learned, stands))
    return before
