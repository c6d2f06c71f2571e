"""Amounts and times as people write them where the reader lives."""

from datetime import timedelta, timezone
from decimal import Decimal

from babel.numbers import format_currency

from providers.money import exponent
from runtime.clock import EPOCH

KOREA = timezone(timedelta(hours=9), "KST")
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def money(amount: int | None, currency: str | None, language: str) -> str | None:
    """Minor units as a price: 58,000원 and ₩58,000, US$12.50 and $12.50. None when there is no amount."""
    if amount is None or currency is None:
        return None
    if (currency, language) == ("KRW", "ko"):
        return f"{amount:,}원"
    value = Decimal(amount).scaleb(-exponent(currency))
    locale = "ko_KR" if language == "ko" else "en_US"
    return format_currency(value, currency, locale=locale)


def time(at: int, language: str) -> str:
    """A time (microseconds since 1970 UTC) by Korea's clock: 2023년 11월 15일 19:30, or Nov 15, 2023, 19:30 KST."""
    there = (EPOCH + timedelta(microseconds=at)).astimezone(KOREA)
    if language == "ko":
        return f"{there.year}년 {there.month}월 {there.day}일 {there:%H:%M}"
    return f"{MONTHS[there.month - 1]} {there.day}, {there.year}, {there:%H:%M} KST"
