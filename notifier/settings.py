"""What the notifier reads from its environment."""

from typing import Literal

from pydantic import Field

from runtime.settings import StoreSettings


class NotifierSettings(StoreSettings):
    """How mails leave the house."""

    smtp_url: str = Field(
        description="the mail server: smtp://[user:password@]host:port, smtps:// for TLS from the start"
    )
    mail_from: str = Field(description="the sender's address")
    mail_timeout_s: float = Field(
        10.0, gt=0, le=60, description="how long the mail server may take for one reply, in seconds"
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
