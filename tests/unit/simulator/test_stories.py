"""Each provider's module reads the webhooks of its story, and the simulated API answers its request."""

from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec
import pytest

from providers import catalogue
from providers.addressing import Addressed
from providers.confirmation import confirmed
from providers.contract import Received
from providers.records import webhook
from simulator.plan import Plan, lives
from simulator.sender import provider_of
from simulator.stories import STORIES
from simulator.story import Webhook
from simulator.world.answers import APIS, names
from simulator.world.api_state import ApiState, ProviderRecord
from stream.events import UnconfirmedWebhook

NOON = datetime.now(UTC)
NOW = int(NOON.timestamp() * 1e6)
SECRET = "6a" * 24
TOLD_HERE = sorted(STORIES)


def event_of(told: Webhook) -> Addressed:
    """Return the event of a webhook, confirmed by the provider's API where needed."""
    provider = provider_of(told)
    _, kind = catalogue.find(told.path, {name.lower(): value for name, value in told.headers})
    signed = {name.lower(): value for name, value in provider.sign(told.body, SECRET.encode(), NOW).items()}
    given = {name.lower(): value for name, value in told.headers}
    token = SECRET if provider.takes_token else None
    received = Received(told.path, given | signed, told.body, NOW, token)
    verification = provider.verify(received, [SECRET.encode()])
    found = webhook(provider, received, verification, provider.translate(received, kind), "test")
    return _confirmed(found.webhook, told) if isinstance(found.webhook, UnconfirmedWebhook) else found


def _confirmed(receipt: UnconfirmedWebhook, told: Webhook) -> Addressed:
    inquiry = catalogue.NAMES[receipt.envelope.provider].api_verification
    assert inquiry
    assert told.api
    state = ApiState()
    state.add_record(msgspec.json.decode(told.api, type=ProviderRecord))
    ask = inquiry.build_request(receipt.notice, "a key")
    record = state.find(receipt.envelope.provider, names(ask.path, ask.body))
    assert record, f"the API finds nothing at {urlsplit(ask.path).path}"
    answer = msgspec.json.encode(APIS[receipt.envelope.provider].of(record))
    envelope = receipt.envelope
    received = Received(envelope.path, envelope.headers, envelope.raw, envelope.received_at)
    return confirmed(receipt, inquiry.read_response(receipt.notice, received, answer), answer)


@pytest.mark.parametrize("provider", TOLD_HERE)
def test_each_webhook_of_a_story_is_read_as_the_row_that_is_expected_of_it(provider: str) -> None:
    (life,) = lives(Plan("abc", NOON, provider=provider))

    for told in life.webhooks:
        _, key, event = event_of(told)
        notice = cast("Any", event).notice
        for row in told.rows + told.passes:
            if row.service == "subscription":
                assert notice.user_id == row.key
            else:
                assert (key, getattr(notice, "status", None) or notice.state) == (row.key, row.status)


@pytest.mark.parametrize("provider", TOLD_HERE)
def test_two_orders_share_no_row_and_no_mail(provider: str) -> None:
    told = [webhook for life in lives(Plan("abc", NOON, orders=2, provider=provider)) for webhook in life.webhooks]

    rows = [row for webhook in told for row in webhook.rows]
    mails = [mail for webhook in told for mail in webhook.mails]
    assert len(rows) == len(set(rows))
    assert len(mails) == len(set(mails))


@pytest.mark.parametrize("provider", sorted(APIS))
def test_an_api_knows_nothing_it_was_not_told(provider: str) -> None:
    assert ApiState().find(provider, names("/v1/payments/forged", b'{"tid": "forged"}')) is None
