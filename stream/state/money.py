"""Amounts of money."""

from typing import NamedTuple


class Money(NamedTuple):
    """An amount in minor units (ISO 4217); `currency` is None if none is stated."""

    minor: int
    currency: str | None
