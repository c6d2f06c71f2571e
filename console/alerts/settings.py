"""The settings of alerts, a part of the console's: thresholds, and the channels that alerts are sent to."""

from typing import NamedTuple

from pydantic import Field, field_validator, model_validator

from console.alerts import limits
from providers.signing import standard_webhooks
from runtime.confidential import urls
from runtime.config.secrets import MIN_BYTES
from runtime.config.worker_settings import WorkerSettings


class Thresholds(NamedTuple):
    """The values from which something is wrong: two times in seconds (silence 0: never), and a number of requests."""

    oldest_event_s: float
    silent_s: float
    failing_signatures: int


class AlertSettings(WorkerSettings):
    """The settings of alerts: their receivers, intervals and thresholds."""

    alert_webhook_url: str | None = Field(
        None, description="URL that alerts are posted to, signed as Standard Webhooks; unset: none are"
    )
    alert_webhook_secret: str | None = Field(
        None, description="base64 key that signs alerts, with or without whsec_; needed with ALERT_WEBHOOK_URL"
    )
    alert_slack_url: str | None = Field(
        None, description="Slack-compatible incoming webhook that alerts are posted to; the URL is a secret"
    )
    alert_interval_s: float = Field(
        600.0, ge=0, description="shortest time between two messages about new alerts of one kind, in seconds"
    )
    alert_check_s: float = Field(15.0, gt=0, le=3600, description="seconds between two checks for alerts")
    alert_oldest_event_s: float = Field(
        limits.OLDEST_EVENT_S,
        gt=0,
        description="age in seconds of a service's oldest unprocessed event from which it is an alert",
    )
    alert_silent_s: float = Field(
        6 * 3600.0,
        ge=0,
        description="seconds of silence of a regular provider from which it is an alert, if they are also twice its"
        " longest silence in two weeks; 0: never",
    )
    alert_failing_signatures: int = Field(
        limits.WRONG_SIGNATURES,
        ge=1,
        description="requests with a wrong signature in 10 minutes from which a provider's secret is an alert",
    )

    @property
    def thresholds(self) -> Thresholds:
        """The thresholds among these settings."""
        return Thresholds(self.alert_oldest_event_s, self.alert_silent_s, self.alert_failing_signatures)

    @field_validator("alert_webhook_url", "alert_slack_url")
    @classmethod
    def _is_url(cls, url: str | None) -> str | None:
        if url is not None and not (url.startswith(("http://", "https://")) and urls.split(url).hostname):
            raise ValueError("must be an http or https URL")
        return url

    @model_validator(mode="after")
    def _alerts_can_be_signed(self) -> "AlertSettings":
        if self.alert_webhook_url is None:
            return self
        if len(standard_webhooks.key_of((self.alert_webhook_secret or "").encode())) < MIN_BYTES:
            raise ValueError(
                f"ALERT_WEBHOOK_SECRET must be the base64 of at least {MIN_BYTES} bytes when ALERT_WEBHOOK_URL is set,"
                " such as `openssl rand -base64 32`"
            )
        return self
