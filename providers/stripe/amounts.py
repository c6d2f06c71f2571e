"""Converts Stripe's amounts to minor units by ISO 4217."""

from providers.contract import InvalidField
from providers.parsing.money import DEFAULT_CURRENCY, currency_code, exponent

# Decimals of Stripe's amounts where they are not two (docs.stripe.com/currencies). ISK and UGX have no minor unit in
# ISO 4217, but Stripe counts them in hundredths; MGA has two digits there, but Stripe counts it in whole units.
_DIGITS = {
    **dict.fromkeys("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD JOD KWD OMR TND".split(), 3),
}
_IN_HUNDREDTHS = frozenset(("ISK", "UGX"))
_SCALES = (1, 10, 100, 1000, 10_000)


def money(units: int | None, currency: str | None) -> tuple[int | None, str]:
    """Return an amount of Stripe's in minor units by ISO 4217, and its currency.

    Return (None, DEFAULT_CURRENCY) if `units` is None.

    Raises InvalidField for an amount without currency, and as `iso_units` does.
    """
    if units is None:
        return None, DEFAULT_CURRENCY  # the default of a payload without an amount
    if not currency:
        raise InvalidField("currency is missing")
    code = currency_code(currency)
    return iso_units(units, code), code


def iso_units(units: int, currency: str) -> int:
    """Return an amount of Stripe's in minor units by ISO 4217.

    Raises InvalidField if that is no whole number, or if Stripe's unit of the currency is not known.
    """
    digits = exponent(currency)
    if digits != 2 and currency not in _DIGITS and currency not in _IN_HUNDREDTHS:  # noqa: PLR2004 - hundredths
        raise InvalidField(f"the unit in which Stripe counts {currency} is not known")
    whole, remainder = divmod(units * _SCALES[digits], _SCALES[_DIGITS.get(currency, 2)])
    if remainder:
        raise InvalidField(f"an amount is finer than {currency}, which has {digits} decimals")
    return whole
