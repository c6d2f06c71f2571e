"""Every provider, in one table. Adding one = one module and its sample payloads."""

from providers import generic, shop
from providers.contract import Provider

PROVIDERS: tuple[Provider, ...] = (generic.PROVIDER, shop.PROVIDER)

BY_PATH: dict[str, tuple[Provider, str]] = {
    path: (provider, kind) for provider in PROVIDERS for path, kind in provider.paths.items()
}
"""Path of the gateway → who posts there, and what kind of webhook."""
