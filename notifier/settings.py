"""What the notifier reads from its environment."""

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
    operator_email: str | None = Field(
        None, description="who is told of mismatched amounts and requested refunds; unset: nobody"
    )
