"""Amounts, times and reasons as people write them where the reader lives."""

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


def day(at: int, language: str) -> str:
    """A date by Korea's calendar: 2023년 11월 15일, or Nov 15, 2023."""
    there = (EPOCH + timedelta(microseconds=at)).astimezone(KOREA)
    if language == "ko":
        return f"{there.year}년 {there.month}월 {there.day}일"
    return f"{MONTHS[there.month - 1]} {there.day}, {there.year}"


def crypto(amount: str, asset: str | None, language: str) -> str:
    """A decimal text as it was told, and its asset: 74.074074 USDT, or 74.074074 (asset 1001) of one without a name."""
    if not asset:
        return amount
    if asset.isdecimal():
        return f"{amount} ({'자산' if language == 'ko' else 'asset'} {asset})"
    return f"{amount} {asset}"


def reason(said: str | None, language: str) -> str | None:
    """A reason in words where it is one of our codes, else as the provider wrote it. None where none is known."""
    return REASONS[language].get(said, said.rstrip(". ")) if said else None


REASONS: dict[str, dict[str, str | None]] = {
    "ko": {
        "amount_mismatch": "금액 불일치",
        "overpaid": "중복 결제",
        "refund_failed": "환불 실패",
        "exceeds_payment": "결제금액보다 큼",
        "other_currency": "결제한 통화와 다름",
        "other_provider": "이 주문의 결제를 받은 적이 없는 결제사",
        "other_transaction": "이 주문의 거래가 아님",
        "expired": "결제 기한 만료",
        "transaction_failed": "거래 실패",
        "unknown": None,
    },
    "en": {
        "amount_mismatch": "the amounts differ",
        "overpaid": "paid more than once",
        "refund_failed": "the refund failed",
        "exceeds_payment": "it is more than was paid",
        "other_currency": "it is in another currency than the payment",
        "other_provider": "its provider never took this order's money",
        "other_transaction": "it is of a transaction that is not this order's",
        "expired": "it has expired",
        "transaction_failed": "the transaction failed",
        "unknown": None,
    },
}
"""What the codes in facts mean; `unknown` says nothing, so nothing is said."""
