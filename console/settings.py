"""What the console reads from its environment."""

from pydantic import Field

from runtime.config.secrets import Token
from runtime.config.settings import StoreSettings


class ConsoleSettings(StoreSettings):
    """Where the console is asked, by whom, and how long it remembers what was abandoned."""

    host: str = Field("0.0.0.0", description="where the console is asked")  # noqa: S104 - it has a token
    port: int = Field(3001, ge=0, le=65535, description="the port of the console's API")
    gather_ms: int = Field(500, ge=0, le=5000, description="as for every service with a store")
    console_token: Token = Field(description="the bearer token that opens the console")
    console_sockets_per_token: int = Field(
        100, ge=1, description="how many live balances may be open at once with one token"
    )
    console_retention_days: int = Field(
        30, ge=1, le=36_500, description="how many days an abandoned webhook stays in the log"
    )
