"""All providers in one table, and the row and token that a path belongs to."""

import re
from collections.abc import Mapping

from providers.aftership import webhook as aftership
from providers.contract import Provider
from providers.contract_e import webhook as contract_e
from providers.delivery_tracker import webhook as delivery_tracker
from providers.easypost import webhook as easypost
from providers.generic import webhook as generic
from providers.inicis import webhook as inicis
from providers.portone_v1 import webhook as portone_v1
from providers.portone_v2 import webhook as portone_v2
from providers.shippo import webhook as shippo
from providers.shop import webhook as shop
from providers.stripe import webhook as stripe
from providers.sweettracker import webhook as sweettracker
from providers.tapayz import webhook as tapayz
from providers.toss import webhook as toss
from providers.tosspayments import webhook as tosspayments

PROVIDERS: tuple[Provider, ...] = (
    generic.PROVIDER,
    shop.PROVIDER,
    toss.PROVIDER,
    stripe.PROVIDER,
    tapayz.PROVIDER,
    easypost.PROVIDER,
    aftership.PROVIDER,
    shippo.PROVIDER,
    delivery_tracker.PROVIDER,
    sweettracker.PROVIDER,
    tosspayments.PROVIDER,
    portone_v1.PROVIDER,
    portone_v2.PROVIDER,
    inicis.PROVIDER,
)
"""Providers by their own contracts. A name may have a second row in `contract_e`."""

ROWS: tuple[Provider, ...] = (*PROVIDERS, *contract_e.PROVIDERS)
"""All rows: one for each provider and contract."""
BY_NAME: dict[str, Provider] = {row.name: row for row in reversed(ROWS)}
"""Name → row. Of two rows with one name, the row of the provider's own contract, not of contract E."""

BY_PATH: dict[str, tuple[Provider, str]] = {
    path: (provider, kind) for provider in reversed(ROWS) for path, kind in provider.paths.items()
}
"""Gateway path → the provider that posts there and the kind of webhook, unless `find` selects contract E."""

_TOKENS = re.compile(
    "(/(?:{}))/.*".format("|".join(path.rpartition("/")[2] for row in ROWS if row.takes_token for path in row.paths)),
    re.IGNORECASE | re.DOTALL,
)
_CONTRACT_E_BY_PATH = {path: (row, kind) for row in contract_e.PROVIDERS for path, kind in row.paths.items()}


def find(path: str, headers: Mapping[str, str]) -> tuple[Provider, str]:
    """Return the provider and the kind of webhook for a request to a path of BY_PATH.

    Two contracts may share a path. Headers, by their names in lower case, select contract E: `X-PG-Provider` on
    contract A's paths, `X-PG-Signature` on a provider's own path. An unknown name in `X-PG-Provider` gives the row
    `contract_e.UNKNOWN`, which is not in ROWS. Raises KeyError for another path.
    """
    if path in contract_e.SHARED_PATHS and contract_e.PROVIDER_HEADER in headers:
        return contract_e.provider_by_header(headers[contract_e.PROVIDER_HEADER]), contract_e.SHARED_PATHS[path]
    if path in _CONTRACT_E_BY_PATH and contract_e.SIGNATURE in headers:
        return _CONTRACT_E_BY_PATH[path]
    return BY_PATH[path]


def split(path: str) -> tuple[str, str | None] | None:
    """Split a request's path into a path of BY_PATH and the token behind it, None without a token.

    Return None if nothing is served there, also for a token behind a path whose provider takes none.
    """
    if path in BY_PATH:
        return path, None
    base, _, token = path.rpartition("/")
    row = BY_PATH.get(base)
    return (base, token) if row and row[0].takes_token and token else None


def without_token(path: str) -> str:
    """Return a path without anything that could be a token, even where nothing is served, so that it may be stored."""
    return _TOKENS.sub(r"\1", path)
