"""The settings of the console, beside those of alerts (`console.alerts.settings`)."""

from typing import Self

from pydantic import Field, field_validator, model_validator

from console.alerts.settings import AlertSettings
from console.login import users
from console.login.users import parse_role_map
from runtime.config.secrets import Token
from runtime.http.client_address import Network, NetworkList, networks


class ConsoleSettings(AlertSettings):
    """The settings of the console: listener, token and limits, retention, login, and the services' addresses."""

    host: str = Field("0.0.0.0", description="the address the console's API listens on")  # noqa: S104 - it has a token
    port: int = Field(3001, ge=0, le=65535, description="the port of the console's API")
    gather_ms: int = Field(500, ge=0, le=5000, description="as for every service with a store")
    # The console reads every topic and may lag.
    fetch_gather_ms: int = Field(400, ge=0, le=5000, description="as for every service with a store")
    console_token: Token = Field(description="the bearer token for the console's API")
    console_sockets_per_token: int = Field(
        100, ge=1, description="how many WebSockets may be open at once with one token"
    )
    console_retention_days: int = Field(
        30, ge=1, le=36_500, description="how many days a dead-lettered (ABANDONED) webhook stays in the log"
    )
    console_users: str = Field(
        "",
        description="the people who may log in, one a line as name:role,role:hash; roles are viewer, operator, auditor;"
        " the hash is by `python -m console hash-password`; without users, pages are off",
    )
    console_public_url: str | None = Field(
        None, description="URL of the pages as browsers see them; with https, cookies are sent over TLS only"
    )
    trusted_proxies: NetworkList = Field(
        "",
        description="addresses and networks of proxies whose X-Forwarded-For or Forwarded is believed; empty: none;"
        " failed logins count by the address that they name",
    )
    console_oidc_issuer: str | None = Field(
        None, description="URL of an OpenID Connect provider through which people may log in; needs CONSOLE_PUBLIC_URL"
    )
    console_oidc_name: str = Field("OpenID Connect", description="the provider's name on the button to log in")
    console_oidc_client_id: str = Field("", description="the console's client id at the provider")
    console_oidc_client_secret: str = Field("", description="the console's client secret at the provider")
    console_oidc_claim: str = Field("roles", description="the claim of the id token with a person's groups or roles")
    console_oidc_roles: str = Field(
        "", description="roles by value of that claim, as value=role,role;value=role; other people may not log in"
    )
    management_urls: str = Field(
        "",
        description="the services' management listeners as name=url, comma-separated, such as payment=http://payment:9100;"
        " the pages show their health and act through them",
    )

    def proxies(self) -> tuple[Network, ...]:
        """Return the networks of the trusted proxies."""
        return networks(self.trusted_proxies)

    @field_validator("console_users")
    @classmethod
    def _users_are_readable(cls, value: str) -> str:
        users.parse(value)
        return value

    @field_validator("console_oidc_roles")
    @classmethod
    def _role_map_is_readable(cls, value: str) -> str:
        parse_role_map(value)
        return value

    @model_validator(mode="after")
    def _provider_is_complete(self) -> Self:
        needed = (self.console_public_url, self.console_oidc_client_id, self.console_oidc_roles)
        if self.console_oidc_issuer and not all(needed):
            raise ValueError("CONSOLE_OIDC_ISSUER needs CONSOLE_PUBLIC_URL, CONSOLE_OIDC_CLIENT_ID, CONSOLE_OIDC_ROLES")
        return self

    @field_validator("management_urls")
    @classmethod
    def _addresses_are_readable(cls, value: str) -> str:
        if any("=http" not in part for part in value.split(",") if part.strip()):
            raise ValueError("must be name=url, comma-separated")
        return value
