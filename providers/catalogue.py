"""Every provider, in one table. Adding one = one module and its sample payloads."""

import re
from collections.abc import Mapping

from providers.aftership import webhook as aftership
from providers.contract import Provider
from providers.contract_e import webhook as pg
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
"""Each with its own contract. A name may have a second row: contract E's, in `pg`."""

ROWS: tuple[Provider, ...] = (*PROVIDERS, *pg.PROVIDERS)
NAMES: dict[str, Provider] = {row.name: row for row in reversed(ROWS)}
"""By canonical name, the provider's own contract before contract E's."""

BY_PATH: dict[str, tuple[Provider, str]] = {
    path: (provider, kind) for provider in reversed(ROWS) for path, kind in provider.paths.items()
}
"""Path of the gateway → who posts there, and what kind of webhook, when no header says otherwise."""

_TOKENS = re.compile(
    "(/(?:{}))/.*".format("|".join(path.rpartition("/")[2] for row in ROWS if row.takes_token for path in row.paths)),
    re.IGNORECASE | re.DOTALL,
)
_SIGNED_AS_E = {path: (row, kind) for row in pg.PROVIDERS for path, kind in row.paths.items()}


def find(path: str, headers: Mapping[str, str]) -> tuple[Provider, str]:
    """Who posts this and what kind it is, at a path of BY_PATH.

    Two contracts may share a path: E is told by its headers, `X-PG-Provider` on contract A's paths, `X-PG-Signature`
    on a provider's own.
    """
    if path in pg.SHARED_PATHS and pg.PROVIDER_HEADER in headers:
        return pg.provider_by_header(headers[pg.PROVIDER_HEADER]), pg.SHARED_PATHS[path]
    if path in _SIGNED_AS_E and pg.SIGNATURE in headers:
        return _SIGNED_AS_E[path]
    return BY_PATH[path]


def split(path: str) -> tuple[str, str | None] | None:
    """The path of BY_PATH that a request's path is, and the token behind it; None when nothing is served there."""
    if path in BY_PATH:
        return path, None
    base, _, token = path.rpartition("/")
    at = BY_PATH.get(base)
    return (base, token) if at and at[0].takes_token and token else None


def without_token(path: str) -> str:
    """A path that may be kept: nothing is left of what could be a token, even where nothing is served."""
    return _TOKENS.sub(r"\1", path)
