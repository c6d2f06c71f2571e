"""The console's settings."""

from pydantic import Field

from runtime.config.secrets import Token
from runtime.config.settings import StoreSettings


class ConsoleSettings(StoreSettings):
    """The settings of the console: its listener, token and limits, and the retention of dead webhooks."""

    host: str = Field("0.0.0.0", description="the address the console's API listens on")  # noqa: S104 - it has a token
    port: int = Field(3001, ge=0, le=65535, description="the port of the console's API")
    gather_ms: int = Field(500, ge=0, le=5000, description="as for every service with a store")
    console_token: Token = Field(description="the bearer token for the console's API")
    console_sockets_per_token: int = Field(
        100, ge=1, description="how many WebSockets may be open at once with one token"
    )
    console_retention_days: int = Field(
        30, ge=1, le=36_500, description="how many days a dead-lettered (ABANDONED) webhook stays in the log"
    )
