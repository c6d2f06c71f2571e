"""The notifier's settings."""

from typing import Literal

from pydantic import Field, field_validator

from notifier import smtp_url
from notifier.mail import branding
from notifier.mail.branding import Branding
from runtime.config.worker_settings import WorkerSettings
from stream.events.text import email_address


class NotifierSettings(WorkerSettings):
    """Mail server, sender, recipients and limits. Raises ValidationError when a value cannot work."""

    gather_ms: int = Field(80, ge=0, le=5000, description="as for every service with a store")
    # Each commit of the worker starts the sender, so this wait gathers events for a transaction and mails for a lane.
    fetch_gather_ms: int = Field(150, ge=0, le=5000, description="as for every service with a store")
    smtp_url: str = Field(
        description="the mail server: smtp://[user:password@]host:port, smtps:// for TLS from the start; with a user"
        " STARTTLS is required unless the host is loopback (?tls=required and ?tls=off override this)"
    )
    smtp_ca: str | None = Field(
        None,
        description="a PEM file with the authorities that sign the mail server's certificate; unset: the system's",
    )
    mail_from: str = Field(
        description="the sender's address, or name and address: My Shop <mail@shop.example>; the default name is"
        " SHOP_NAME"
    )
    shop_name: str | None = Field(None, max_length=100, description="the shop's name, shown in every mail")
    shop_url: str | None = Field(
        None, description="the shop's site, https://shop.example: shown in every mail, and the base of relative links"
    )
    mail_timeout_s: float = Field(
        10.0, gt=0, le=60, description="the time limit for one reply of the mail server, in seconds"
    )
    mail_connections: int = Field(
        16,
        ge=1,
        le=100,
        description="how many mails are sent together, each over its own connection; a killed notifier leaves at most"
        " this many mails unknown. If the server accepts fewer connections, fewer are opened",
    )
    mail_gather_s: float = Field(
        0.0,
        ge=0,
        le=5,
        description="how long a due mail waits, after GATHER_MS, for others to be sent with it, in seconds",
    )
    mail_max_age: float = Field(
        7 * 86_400.0, gt=0, description="no mail is sent for a webhook that was received longer ago, in seconds"
    )
    recipient_wait: float = Field(
        86_400.0,
        gt=0,
        description="how long a mail waits for its recipient's address before it becomes no_recipient, in seconds",
    )
    operator_email: str | None = Field(
        None, description="the address for mismatched amounts, refunds to make and other alerts; unset: none are sent"
    )
    operator_locale: Literal["ko", "en"] = Field("ko", description="the language of mails to the operator")
    alert_interval: float = Field(
        600.0,
        ge=0,
        description="the shortest time between two alert mails (dead-lettered events, unknown mails), in seconds",
    )

    @field_validator("smtp_url")
    @classmethod
    def _is_mail_server(cls, url: str) -> str:
        smtp_url.parse(url)
        return url

    @field_validator("smtp_ca")
    @classmethod
    def _is_readable(cls, ca: str | None) -> str | None:
        if ca is not None:
            smtp_url.trust(ca)
        return ca

    @field_validator("mail_from")
    @classmethod
    def _is_sender(cls, sender: str) -> str:
        branding.parse_sender(sender)
        return sender

    @field_validator("shop_url")
    @classmethod
    def _is_site(cls, url: str | None) -> str | None:
        return url and branding.parse_shop_url(url)

    @field_validator("shop_name")
    @classmethod
    def _is_one_line(cls, name: str | None) -> str | None:
        if name:
            branding.check_name(name)
        return name

    @field_validator("operator_email")
    @classmethod
    def _is_address(cls, address: str | None) -> str | None:
        try:
            return address and email_address.parse(address, allow_dotless=True)
        except email_address.Unusable as why:
            raise ValueError(f"it is no address that can be mailed: {why}") from why

    @property
    def branding(self) -> Branding:
        """The sender and the shop that mails show."""
        name, address = branding.parse_sender(self.mail_from)
        return Branding(address, name, self.shop_name, self.shop_url)
