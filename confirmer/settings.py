"""What the confirmer reads from its environment."""

from typing import Any

from pydantic import Field, create_model

from providers import catalogue
from providers.contract import ApiVerification
from runtime.config.settings import StoreSettings

INQUIRIES: dict[str, ApiVerification] = {
    name: row.api_verification for name, row in catalogue.NAMES.items() if row.api_verification
}
"""Whom we can ask, by name."""


def _of_each_provider() -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, inquiry in INQUIRIES.items():
        fields[f"{name}_api_key"] = (
            str | None,
            Field(None, description=f"the key of {name}'s API; unset: its webhooks wait"),
        )
        fields[f"{name}_api_url"] = (
            str,
            Field(inquiry.api_url, pattern=r"^https?://", description=f"where {name} is asked"),
        )
    return fields


_ProviderSettings: type[StoreSettings] = create_model(
    "_ProviderSettings", __base__=StoreSettings, **_of_each_provider()
)


class ConfirmerSettings(_ProviderSettings):
    """How the providers are asked."""

    ask_timeout_s: float = Field(10.0, gt=0, le=60, description="how long a provider's whole answer may take")
    question_retention_days: int = Field(
        30, ge=1, le=30, description="days that webhooks are kept which proved untrue or unknown to their provider"
    )
    ask_concurrency: int = Field(8, ge=1, le=100, description="how many questions one provider is asked at once")

    def api_key(self, provider: str) -> str | None:
        """What we are let in with, None while nobody has set it."""
        key: str | None = getattr(self, f"{provider}_api_key")
        return key

    def api_url(self, provider: str) -> str:
        """The base URL of this provider's API, without a slash at its end."""
        url: str = getattr(self, f"{provider}_api_url")
        return url.rstrip("/")
