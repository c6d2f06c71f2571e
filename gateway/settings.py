"""What the gateway reads from its environment."""

import re
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, create_model, field_validator, model_validator

from gateway.http.client_address import Network, networks
from providers import catalogue
from providers.contract import Provider
from runtime.config.secrets import MIN_BYTES, Secrets, separate
from runtime.config.settings import Settings

_RATE = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})", re.ASCII)
LENGTH = f"each of {MIN_BYTES} bytes or more"


def _readable_networks(value: str) -> str:
    networks(value)
    return value


NetworkList = Annotated[str, AfterValidator(_readable_networks)]
"""IP addresses and networks, comma-separated."""


def _of_each_provider() -> dict[str, Any]:
    """The fields every row of the catalogue brings along; the shop's secret is contract A's."""
    fields: dict[str, Any] = {}
    for row in catalogue.NAMES.values():
        secret = row.secret_setting.lower()
        fields[secret] = (Secrets, Field("", description=f"the secret of {row.name}; several live: a,b; {LENGTH}"))
        fields[f"{row.name}_active"] = (
            bool | None,
            Field(None, description=f"false: {row.name} is off; unset: on when its secret is set"),
        )
        fields[f"{row.name}_allowed_ips"] = (
            NetworkList,
            Field(
                "", description=f"addresses and networks (CIDR) {row.name} may post from, comma-separated; empty: any"
            ),
        )
        if row.translate_unsigned:
            fields[f"{row.name}_allow_unsigned"] = (
                bool,
                Field(
                    default=False,
                    description=f"take what {row.name} posts unsigned, and ask its API whether it is true",
                ),
            )
    return fields | {
        "webhook_secret": (Secrets, Field("", description=f"the secret of contract A and of the shop; a,b; {LENGTH}"))
    }


_ProviderSettings: type[Settings] = create_model("_ProviderSettings", __base__=Settings, **_of_each_provider())


class GatewaySettings(_ProviderSettings):
    """Secrets are comma-separated when several are live, as while one is rotated."""

    host: str = Field("0.0.0.0", description="where webhooks are listened for")  # noqa: S104 - a public listener
    port: int = Field(3000, ge=0, le=65535, description="the port webhooks are posted to")
    webhook_allow_unsigned: bool = Field(
        default=False, description="accept contract A without a secret; logged as a warning at each start"
    )
    webhook_require_type: bool = Field(
        default=False, description="refuse bodies of contract A and the shop without the `type` of their path"
    )
    rate_limit: str = Field(
        "50/100",
        description="requests a second / burst over all paths, of each source address and of each provider; or off",
    )
    trusted_proxies: NetworkList = Field(
        "", description="proxies whose X-Forwarded-For or Forwarded names the source: addresses, networks; empty: none"
    )
    max_body_bytes: int = Field(262_144, ge=1024, le=900_000, description="the longest body accepted")
    spool_dir: Path | None = Field(
        None, description="a folder for webhooks while Kafka is away; unset: they are answered 503 then"
    )
    spool_max_bytes: int = Field(
        1_073_741_824, ge=1_048_576, description="how much the spool may hold before webhooks are answered 503"
    )
    workers: int = Field(
        1, ge=1, le=64, description="processes that take webhooks on this port; more than 1 excludes SPOOL_DIR"
    )
    body_timeout_s: float = Field(3.0, gt=0, le=30, description="how long a body may take to arrive, in seconds")

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
                "(WEBHOOK_ALLOW_UNSIGNED=true lets them, for trying things out)"
            )
        return self

    @model_validator(mode="after")
    def _one_spool_keeps_the_order(self) -> Self:
        if self.workers > 1 and self.spool_dir is not None:
            raise ValueError(
                "WORKERS above 1 and SPOOL_DIR exclude each other: one worker would overtake what another has spooled; "
                "run several gateways with a spool each instead"
            )
        return self

    def secrets(self, setting: str) -> tuple[bytes, ...]:
        """All live secrets under this setting, such as WEBHOOK_SECRET."""
        value: str = getattr(self, setting.lower())
        return tuple(secret.encode() for secret in separate(value))

    def allowed_ips(self, provider: str) -> tuple[Network, ...]:
        """The networks this provider may post from; empty when it may from any."""
        return networks(getattr(self, f"{provider}_allowed_ips"))

    def proxies(self) -> tuple[Network, ...]:
        """The networks of the proxies whose word on a request's source is believed."""
        return networks(self.trusted_proxies)

    def is_active(self, provider: Provider) -> bool:
        """Whether this provider's webhooks are taken: it is not switched off, and something proves them if it can."""
        wished: bool | None = getattr(self, f"{provider.name}_active")
        if wished is False:
            return False
        unsigned = (
            (provider.is_unsigned and wished)
            or self.allows_unsigned(provider)
            or (self.webhook_allow_unsigned and provider.secret_setting == "WEBHOOK_SECRET")  # noqa: S105 - its name
        )
        return bool(unsigned or self.secrets(provider.secret_setting))

    def allows_unsigned(self, provider: Provider) -> bool:
        """Whether a body without a signature is taken as a question to this provider's API."""
        return bool(getattr(self, f"{provider.name}_allow_unsigned", False))

    def rate(self) -> tuple[int, int] | None:
        """Requests a second and burst, None when unlimited."""
        match = _RATE.fullmatch(self.rate_limit)
        return (int(match[1]), int(match[2])) if match else None
