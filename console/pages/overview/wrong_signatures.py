"""The requests with wrong signatures that need a person, and the text about them in alarms and in alerts."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta

from sqlalchemy import Connection

from console.alerts import limits
from console.queries import quarantine
from console.queries.figures import rates
from console.queries.figures.rates import ProviderRates
from console.queries.quarantine import SignatureFailures
from console.web.rendering.texts import ProviderName, catalogue

WRONG = ("invalid_signature",)
"""The causes of refusals that are forged or signed with another secret; a missing signature is neither."""
SUSPICIOUS = 5
"""A provider's secret is probably wrong from this many refused requests on, and no fewer than accepted ones.

Both are counted in the current hour and the one before. Only refusals because of the signature count.
"""
FLOOD = limits.WRONG_SIGNATURES
"""So many wrong signatures of a provider in ten minutes are an alarm, however many requests are accepted."""


def select(tx: Connection, now: int, suspected: AbstractSet[str], since: int) -> dict[str, SignatureFailures]:
    """Return the wrong signatures of each provider of which they are an alarm.

    Those of `suspected` providers are counted from `since` on, those of others within RECENT. For providers of
    both kinds, the recent ones are returned.
    """
    recent = quarantine.signature_failures(tx, now - quarantine.RECENT, now, WRONG)
    alarming = {provider: failures for provider, failures in recent.items() if is_failing(failures)}
    if not suspected - alarming.keys():
        return alarming
    longer = quarantine.signature_failures(tx, since, now, rates.SIGNATURE_CAUSES)
    return {**{provider: longer[provider] for provider in sorted(suspected & longer.keys())}, **alarming}


def alert_texts(tx: Connection, now: int) -> dict[str, tuple[int, str]]:
    """Return by provider the number of wrong signatures within RECENT, and the text about them in English."""
    recent = quarantine.signature_failures(tx, now - quarantine.RECENT, now, WRONG)
    found = {}
    for provider, failures in recent.items():
        key, values = text_of(provider, failures)
        found[provider] = (failures.requests, catalogue().text("en", key, **values))
    return found


def suspects(by_provider: Mapping[str, ProviderRates], recent: Iterable[int]) -> set[str]:
    """Return the providers with SUSPICIOUS or more wrong signatures, and no fewer than accepted webhooks.

    `recent` are the starts of the hours that count.
    """
    found, hours = set(), list(recent)
    for provider, rate in by_provider.items():
        accepted = sum(rate.accepted.get(hour, 0) for hour in hours)
        if sum(rate.wrong_signatures.get(hour, 0) for hour in hours) >= max(SUSPICIOUS, accepted):
            found.add(provider)
    return found


def is_failing(recent: SignatureFailures) -> bool:
    """Return whether these are FLOOD or more wrong signatures, or a retired secret made one of them."""
    return recent.requests >= FLOOD or recent.retired > 0


def text_of(provider: str, failures: SignatureFailures) -> tuple[str, dict[str, object]]:
    """Return key and values of the text about a provider's wrong signatures.

    It says whether a retired secret proves some of them, else from how many addresses they come.
    """
    values: dict[str, object] = {
        "provider": ProviderName(provider),
        "count": failures.requests,
        "capped": int(failures.is_capped),
        "period": timedelta(microseconds=failures.period_us),
    }
    if failures.retired:
        return "alarm.secret_retired", {**values, "retired": failures.retired, "fingerprint": failures.fingerprint}
    if failures.top_source is None:
        return "alarm.secret_forged", values
    addresses = {"sources": failures.sources, "source": failures.top_source, "top": failures.of_top}
    return "alarm.secret_forged_from", {**values, **addresses}
