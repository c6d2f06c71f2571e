"""Amounts of money."""

from typing import NamedTuple

DEFAULT_CURRENCY = "KRW"
"""The currency in an event about money whose webhooks state none."""


class Money(NamedTuple):
    """An amount in minor units (ISO 4217); `currency` is None if none is stated."""

    minor: int
    currency: str | None
