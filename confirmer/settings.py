"""The settings of the confirmer."""

from typing import Any

from pydantic import Field, create_model

from providers import catalogue
from providers.contract import ApiVerification
from runtime.config.worker_settings import WorkerSettings

API_VERIFICATIONS: dict[str, ApiVerification] = {
    name: row.api_verification for name, row in catalogue.BY_NAME.items() if row.api_verification
}
"""The providers whose APIs can verify a webhook, by name."""


def _provider_fields() -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, verification in API_VERIFICATIONS.items():
        fields[f"{name}_api_key"] = (
            str | None,
            Field(None, description=f"key of {name}'s API; unset: its webhooks are not verified and stay waiting"),
        )
        fields[f"{name}_api_url"] = (
            str,
            Field(verification.api_url, pattern=r"^https?://", description=f"base URL of {name}'s API"),
        )
    return fields


_ProviderSettings: type[WorkerSettings] = create_model(
    "_ProviderSettings", __base__=WorkerSettings, **_provider_fields()
)


class ConfirmerSettings(_ProviderSettings):
    """The API key and URL of each provider, and the limits of requests to them."""

    # A verification may wait, so the shop's orders, which come often, need no request each.
    fetch_gather_ms: int = Field(500, ge=0, le=5000, description="as for every service with a store")
    ask_timeout_s: float = Field(
        10.0,
        gt=0,
        le=60,
        description="seconds until a request to a provider's API, its whole response included, times out",
    )
    verification_retention_days: int = Field(
        30, ge=1, le=30, description="days until webhooks that their provider contradicted or does not know are deleted"
    )
    ask_concurrency: int = Field(8, ge=1, le=100, description="concurrent requests to one provider")

    def api_key(self, provider: str) -> str | None:
        """Return the API key of a provider of API_VERIFICATIONS; None or empty if it is not set."""
        key: str | None = getattr(self, f"{provider}_api_key")
        return key

    def api_url(self, provider: str) -> str:
        """Return the base URL of a provider's API, without a trailing slash."""
        url: str = getattr(self, f"{provider}_api_url")
        return url.rstrip("/")
