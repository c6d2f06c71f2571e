"""Format amounts and times in Korean and English, and texts on one line."""

from datetime import timedelta, timezone
from decimal import Decimal

from babel.numbers import format_currency

from providers.parsing.money import exponent
from runtime.clock import EPOCH

KOREA = timezone(timedelta(hours=9), "KST")
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def money(amount: int | None, currency: str | None, language: str) -> str | None:
    """Format minor units as a price; None if the amount or the currency is None.

    KRW 58000 is 58,000원 in Korean and ₩58,000 in English; USD 1250 is US$12.50 and $12.50.
    """
    if amount is None or currency is None:
        return None
    if (currency, language) == ("KRW", "ko"):
        return f"{amount:,}원"
    value = Decimal(amount).scaleb(-exponent(currency))
    locale = "ko_KR" if language == "ko" else "en_US"
    return format_currency(value, currency, locale=locale)


def time(at: int, language: str) -> str:
    """Format microseconds since 1970 UTC in Korean time: 2023년 11월 15일 19:30, or Nov 15, 2023, 19:30 KST."""
    local = (EPOCH + timedelta(microseconds=at)).astimezone(KOREA)
    if language == "ko":
        return f"{local.year}년 {local.month}월 {local.day}일 {local:%H:%M}"
    return f"{MONTHS[local.month - 1]} {local.day}, {local.year}, {local:%H:%M} KST"


def day(at: int, language: str) -> str:
    """Format microseconds since 1970 UTC as a date in Korean time: 2023년 11월 15일, or Nov 15, 2023."""
    local = (EPOCH + timedelta(microseconds=at)).astimezone(KOREA)
    if language == "ko":
        return f"{local.year}년 {local.month}월 {local.day}일"
    return f"{MONTHS[local.month - 1]} {local.day}, {local.year}"


def crypto(amount: str, asset: str | None, language: str) -> str:
    """Format a decimal text, unchanged, with its asset: 74.074074 USDT, or without an asset 74.074074.

    A numeric asset id is shown as 74.074074 (asset 1001).
    """
    if not asset:
        return amount
    if asset.isdecimal():
        return f"{amount} ({'자산' if language == 'ko' else 'asset'} {asset})"
    return f"{amount} {asset}"


def one_line(text: str | None) -> str | None:
    """Return `text` on one line without unprintable characters; None if nothing is left."""
    if not text:
        return None
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(text.split()) or None
