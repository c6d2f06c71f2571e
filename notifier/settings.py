"""What the notifier reads from its environment."""

from typing import Literal

from pydantic import Field, field_validator

from notifier import smtp_url
from notifier.mail import branding
from notifier.mail.branding import Branding
from runtime.config.settings import StoreSettings
from stream.events import email_address


class NotifierSettings(StoreSettings):
    """How mails leave the house."""

    # The worker's commits wake the sender, so this one wait gathers events for a transaction and mails for a lane.
    gather_ms: int = Field(150, ge=0, le=5000, description="as for every service with a store")
    smtp_url: str = Field(
        description="the mail server: smtp://[user:password@]host:port, smtps:// for TLS from the start; with a user"
        " STARTTLS is required unless the host is this machine (?tls=required and ?tls=off decide by hand)"
    )
    smtp_ca: str | None = Field(
        None,
        description="a PEM file with the authorities that may vouch for the mail server; unset: the system's",
    )
    mail_from: str = Field(
        description="the sender's address, or name and address: My Shop <mail@shop.example>; no name: SHOP_NAME's"
    )
    shop_name: str | None = Field(None, max_length=100, description="the shop's name, shown in every mail")
    shop_url: str | None = Field(
        None, description="the shop's site, https://shop.example: at the end of every mail, and where its links begin"
    )
    mail_timeout_s: float = Field(
        10.0, gt=0, le=60, description="how long the mail server may take for one reply, in seconds"
    )
    mail_connections: int = Field(
        16,
        ge=1,
        le=100,
        description="how many mails are sent together, each over a connection of its own; a notifier that is killed"
        " leaves at most so many unknown. A server that takes fewer connections gets fewer",
    )
    mail_gather_s: float = Field(
        0.0,
        ge=0,
        le=5,
        description="how long a mail that is due waits for others to be sent with it, in seconds, after GATHER_MS",
    )
    mail_max_age: float = Field(
        7 * 86_400.0, gt=0, description="nobody is mailed a fact whose webhook was received longer ago, in seconds"
    )
    recipient_wait: float = Field(
        86_400.0, gt=0, description="how long a mail waits for its reader's address before it is listed, in seconds"
    )
    operator_email: str | None = Field(
        None, description="who is told of mismatched amounts, refunds to make, and what needs attention; unset: nobody"
    )
    operator_locale: Literal["ko", "en"] = Field("ko", description="the language the operator is written to in")
    alarm_interval: float = Field(
        600.0, ge=0, description="abandoned events and unknown mails are told in one mail per so many seconds"
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
        """The sender of mails."""
        name, address = branding.parse_sender(self.mail_from)
        return Branding(address, name, self.shop_name, self.shop_url)
