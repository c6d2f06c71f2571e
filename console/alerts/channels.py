"""Sends alert messages: signed webhook, Slack-compatible webhook, and e-mail by the notifier."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping

from console.alerts import domain
from console.alerts.settings import AlertSettings
from console.alerts.store import AlertDelivery
from providers.signing import standard_webhooks
from runtime.clients.management_client import ManagementClient, ServiceRefused, ServiceUnreachable
from runtime.clients.no_redirects import NoRedirects

TIMEOUT_S = 10.0
Channel = Callable[[AlertDelivery, int], None]
"""Sends a delivery and returns once the receiver has taken it; raises Undelivered otherwise.

The second argument is the time of the attempt, in microseconds since 1970 UTC.
"""
MAILED_BY_NOTIFIER = ("dead_event", "unknown_mail")
"""Kinds whose open alerts the channel `email` leaves out: the notifier mails those events to the operator itself."""


class Undelivered(Exception):
    """The receiver of a message has not taken it. The text says why, without the URL, which may hold a secret."""


def channels(settings: AlertSettings, client: ManagementClient) -> dict[str, Channel]:
    """Return the configured channels by name: `webhook`, `slack`, and `email` if the notifier's address is known."""
    found: dict[str, Channel] = {}
    if settings.alert_webhook_url and settings.alert_webhook_secret:
        found["webhook"] = _webhook(settings.alert_webhook_url, settings.alert_webhook_secret.encode())
    if settings.alert_slack_url:
        found["slack"] = _slack(settings.alert_slack_url)
    if "notifier" in client.urls:
        found["email"] = _email(client)
    return found


def _webhook(url: str, secret: bytes) -> Channel:
    def send(delivery: AlertDelivery, now: int) -> None:
        payload = json.dumps(domain.webhook_payload(delivery.message_id, delivery.body, delivery.made_at)).encode()
        # The time of this attempt is signed; the id stays, so that the receiver can tell a repetition.
        _post(url, payload, standard_webhooks.sign(payload, secret, now, delivery.message_id))

    return send


def _slack(url: str) -> Channel:
    def send(delivery: AlertDelivery, _: int) -> None:
        _post(url, json.dumps(domain.slack_payload(str(delivery.body["text"]))).encode(), {})

    return send


def _email(client: ManagementClient) -> Channel:
    def send(delivery: AlertDelivery, _: int) -> None:
        if delivery.body["kind"] in MAILED_BY_NOTIFIER and delivery.body["state"] == "open":
            return
        try:
            client.post("notifier", "/alerts", {"id": delivery.message_id, "text": delivery.body["text"]})
        except (ServiceRefused, ServiceUnreachable) as failure:
            raise Undelivered(str(failure)) from failure

    return send


def _post(url: str, payload: bytes, headers: Mapping[str, str]) -> None:
    request = urllib.request.Request(url, payload, {"Content-Type": "application/json", **headers}, method="POST")  # noqa: S310
    try:
        urllib.request.build_opener(NoRedirects).open(request, timeout=TIMEOUT_S).close()
    except urllib.error.HTTPError as refused:
        raise Undelivered(f"the receiver answered {refused.code}") from refused
    except (OSError, http.client.HTTPException, ValueError) as failure:
        raise Undelivered(f"the receiver does not answer: {type(failure).__name__}") from failure
