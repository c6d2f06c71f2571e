"""Amounts of money."""

from typing import NamedTuple


class Money(NamedTuple):
    """An amount in minor units (ISO 4217) and its currency; None if no currency is stated."""

    minor: int
    currency: str | None
