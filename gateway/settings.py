"""The settings of the gateway, some of which exist for each provider of the catalogue."""

import re
from pathlib import Path
from typing import Any, Self

from pydantic import Field, create_model, field_validator, model_validator

from providers import catalogue
from providers.contract import Provider
from runtime.config.secrets import MIN_BYTES, Secrets, separate
from runtime.config.settings import Settings
from runtime.http.client_address import Network, NetworkList, networks

_RATE = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})", re.ASCII)
RETIRED = (
    "earlier secrets of {}, comma-separated: they prove nothing, but a refusal says which one would have proved it"
)
LENGTH = f"each at least {MIN_BYTES} bytes"


def _of_each_provider() -> dict[str, Any]:
    """Return the fields of each row of the catalogue; the shop shares the secret of contract A."""
    fields: dict[str, Any] = {}
    for row in catalogue.BY_NAME.values():
        secret = row.secret_setting.lower()
        fields[secret] = (
            Secrets,
            Field("", description=f"webhook secret of {row.name}; several valid ones: a,b; {LENGTH}"),
        )
        fields[f"{secret}_retired"] = (Secrets, Field("", description=RETIRED.format(row.name)))
        fields[f"{row.name}_active"] = (
            bool | None,
            Field(None, description=f"false: {row.name} is switched off; unset: switched on if its secret is set"),
        )
        fields[f"{row.name}_allowed_ips"] = (
            NetworkList,
            Field(
                "",
                description=f"addresses and networks (CIDR) {row.name} may post from, comma-separated; empty: any",
            ),
        )
        if row.translate_unsigned:
            fields[f"{row.name}_allow_unsigned"] = (
                bool,
                Field(
                    default=False,
                    description=f"accept unsigned webhooks of {row.name} and confirm each at its API",
                ),
            )
    return fields | {
        "webhook_secret": (
            Secrets,
            Field("", description=f"secret of contract A and of the shop; several valid ones: a,b; {LENGTH}"),
        ),
        "webhook_secret_retired": (Secrets, Field("", description=RETIRED.format("contract A and of the shop"))),
    }


_ProviderSettings: type[Settings] = create_model("_ProviderSettings", __base__=Settings, **_of_each_provider())


class GatewaySettings(_ProviderSettings):
    """The gateway's settings, those of each provider by its name (`{name}_active`) or its secret setting."""

    host: str = Field("0.0.0.0", description="address on which webhooks are received")  # noqa: S104 - a public listener
    port: int = Field(3000, ge=0, le=65535, description="port on which webhooks are received")
    webhook_allow_unsigned: bool = Field(
        default=False, description="accept webhooks of contract A without a secret; logged as a warning at each start"
    )
    webhook_require_type: bool = Field(
        default=False, description="refuse bodies of contract A and the shop that lack the `type` of their path"
    )
    rate_limit: str = Field(
        "50/100",
        description="requests a second / burst of each source address and of each provider, over all paths; or off",
    )
    trusted_proxies: NetworkList = Field(
        "", description="addresses and networks of proxies whose X-Forwarded-For or Forwarded is believed; empty: none"
    )
    max_body_bytes: int = Field(262_144, ge=1024, le=900_000, description="maximum length of a body in bytes")
    spool_dir: Path | None = Field(
        None,
        description="folder that holds webhooks while Kafka is unavailable; unset: they are answered 503 meanwhile",
    )
    spool_max_bytes: int = Field(
        1_073_741_824,
        ge=1_048_576,
        description="maximum size of the spool in bytes; webhooks are answered 503 once it is full",
    )
    workers: int = Field(
        1, ge=1, le=64, description="processes that receive webhooks on PORT; more than 1 excludes SPOOL_DIR"
    )
    body_timeout_s: float = Field(3.0, gt=0, le=30, description="seconds within which a body must arrive")

    @field_validator("rate_limit")
    @classmethod
    def _rate_is_readable(cls, value: str) -> str:
        if value != "off" and not _RATE.fullmatch(value):
            raise ValueError("must be off, or requests a second and burst such as 50/100")
        return value

    @model_validator(mode="after")
    def _something_proves_webhooks(self) -> Self:
        if not self.secrets("WEBHOOK_SECRET") and not self.webhook_allow_unsigned:
            raise ValueError(
                "WEBHOOK_SECRET must be set: without it anybody could report a payment "
                "(to try things out, set WEBHOOK_ALLOW_UNSIGNED=true)"
            )
        return self

    @model_validator(mode="after")
    def _one_spool_keeps_the_order(self) -> Self:
        if self.workers > 1 and self.spool_dir is not None:
            raise ValueError(
                "WORKERS above 1 and SPOOL_DIR exclude each other: a worker would overtake another's spooled records; "
                "run several gateways with a spool each instead"
            )
        return self

    def secrets(self, setting: str) -> tuple[bytes, ...]:
        """Return all valid secrets in this setting, such as WEBHOOK_SECRET; empty if it is unset."""
        value: str = getattr(self, setting.lower())
        return tuple(secret.encode() for secret in separate(value))

    def retired_secrets(self, setting: str) -> tuple[bytes, ...]:
        """Return the secrets in `{setting}_RETIRED`, without those that are valid too."""
        value: str = getattr(self, f"{setting.lower()}_retired")
        valid = self.secrets(setting)
        return tuple(secret for text in separate(value) if (secret := text.encode()) not in valid)

    def allowed_ips(self, provider: str) -> tuple[Network, ...]:
        """Return the networks from which this provider may post; empty: from any address."""
        return networks(getattr(self, f"{provider}_allowed_ips"))

    def proxies(self) -> tuple[Network, ...]:
        """Return the networks of the trusted proxies."""
        return networks(self.trusted_proxies)

    def is_active(self, provider: Provider) -> bool:
        """Return whether this row accepts webhooks: {NAME}_ACTIVE is not false, and it has a secret or may go without.

        It may go without if {NAME}_ALLOW_UNSIGNED is set, or WEBHOOK_ALLOW_UNSIGNED for a row whose secret is
        WEBHOOK_SECRET. If nothing ever signs its webhooks, {NAME}_ACTIVE must be true: unset is not enough.
        """
        switch: bool | None = getattr(self, f"{provider.name}_active")
        if switch is False:
            return False
        unsigned = (
            (provider.is_unsigned and switch)
            or self.allows_unsigned(provider)
            or (self.webhook_allow_unsigned and provider.secret_setting == "WEBHOOK_SECRET")  # noqa: S105 - its name
        )
        return bool(unsigned or self.secrets(provider.secret_setting))

    def allows_unsigned(self, provider: Provider) -> bool:
        """Return {NAME}_ALLOW_UNSIGNED: whether bodies without a signature are accepted and confirmed at the API.

        False for a provider without that setting, also if nothing ever signs its webhooks (`Provider.is_unsigned`).
        """
        return bool(getattr(self, f"{provider.name}_allow_unsigned", False))

    def rate(self) -> tuple[int, int] | None:
        """Return the requests a second and the burst of RATE_LIMIT; None for no limit."""
        match = _RATE.fullmatch(self.rate_limit)
        return (int(match[1]), int(match[2])) if match else None
