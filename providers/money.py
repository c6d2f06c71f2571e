"""Money as integers of minor units: exact, by the exponents of ISO 4217."""

import re

import msgspec

from providers.contract import Unreadable

NOT_SAID = msgspec.Raw()
"""An amount the body leaves out."""

_AMOUNT = re.compile(r"(\d{1,15})(?:\.(\d{1,8}))?", re.ASCII)
_LONG_AMOUNT = re.compile(r"(\d{1,15})(?:\.(\d{1,30}))?", re.ASCII)
_ZERO = re.compile(rb"0{1,15}(\.0{1,8})?")

# ISO 4217: the minor unit has two digits but for these.
_EXPONENTS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
    **dict.fromkeys(
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC "
        "CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR "
        "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD "
        "NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN "
        "SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG".split(),
        2,
    ),
}


def exponent(currency: str) -> int:
    """How many decimal digits the currency's minor unit has (ISO 4217: KRW 0, USD 2, KWD 3).

    Raises Unreadable for a code ISO 4217 does not list.
    """
    if currency not in _EXPONENTS:
        raise Unreadable(f"{currency} is no ISO 4217 currency")
    return _EXPONENTS[currency]


def minor_units(amount: msgspec.Raw, currency: str, field: str = "amount") -> int | None:
    """An amount as it stands in the JSON, in minor units of its currency; exact, never through a float.

    Raises Unreadable for what is no positive plain decimal, or is finer than the currency: it is not rounded.
    """
    exponent(currency)
    text = bytes(amount).decode()
    if text in ("", "null"):
        return None
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise Unreadable(f"{field} must be a positive plain number")
    return _units(match[1], match[2] or "", currency, field)


def units_of_text(amount: str, currency: str, field: str = "amount") -> int:
    """An amount written as a text, such as `100000.000000`, in minor units of its currency; exact.

    Raises Unreadable for what is no positive plain decimal, or is finer than the currency: it is not rounded.
    """
    match = _LONG_AMOUNT.fullmatch(amount)
    if match is None:
        raise Unreadable(f"{field} must be a positive plain number, as a text")
    return _units(match[1], (match[2] or "").rstrip("0"), currency, field)


def _units(whole: str, fraction: str, currency: str, field: str) -> int:
    digits = exponent(currency)
    if len(fraction) > digits:
        raise Unreadable(f"{field} is finer than {currency}, which has {digits} decimals")
    units = int(whole + fraction.ljust(digits, "0"))
    if units == 0:
        raise Unreadable(f"{field} must be more than zero")
    return units


def minor_units_or_none(amount: msgspec.Raw, currency: str, field: str = "amount") -> int | None:
    """As `minor_units`, for fields in which a zero means that there is nothing to tell."""
    exponent(currency)
    return None if _ZERO.fullmatch(bytes(amount)) else minor_units(amount, currency, field)
