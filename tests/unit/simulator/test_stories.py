"""Each provider's module reads the webhooks of its story, and the simulated API answers its request."""

from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec
import pytest

from providers import catalogue
from providers.addressing import KeyedWebhook
from providers.confirmation import confirmed_event
from providers.contract import Received
from providers.records import webhook_record
from simulator import signing
from simulator.plan import Plan, lives
from simulator.sender import provider_of
from simulator.stories import STORIES
from simulator.story import SimulatedWebhook
from simulator.world.answers import APIS, names
from simulator.world.api_state import ApiState, ProviderRecord
from stream.events import Micros, UnconfirmedWebhook

NOON = datetime.now(UTC)
NOW = Micros(int(NOON.timestamp() * 1e6))
SECRET = "6a" * 24
PROVIDERS = sorted(STORIES)


def event_of(posted: SimulatedWebhook) -> KeyedWebhook:
    """Return the event of a webhook, confirmed by the provider's API where needed."""
    provider = provider_of(posted)
    _, kind = catalogue.find(posted.path, {name.lower(): value for name, value in posted.headers})
    signed = {name.lower(): value for name, value in signing.sign(provider, posted.body, SECRET.encode(), NOW).items()}
    given = {name.lower(): value for name, value in posted.headers}
    token = SECRET if provider.takes_token else None
    received = Received(posted.path, given | signed, posted.body, NOW, token)
    verification = provider.verify(received, [SECRET.encode()])
    found = webhook_record(provider, received, verification, provider.translate(received, kind), "test")
    return _confirmed(found.webhook, posted) if isinstance(found.webhook, UnconfirmedWebhook) else found


def _confirmed(unconfirmed: UnconfirmedWebhook, posted: SimulatedWebhook) -> KeyedWebhook:
    api = catalogue.BY_NAME[unconfirmed.envelope.provider].api_verification
    assert api
    assert posted.api
    state = ApiState()
    state.add_record(msgspec.json.decode(posted.api, type=ProviderRecord))
    request = api.build_request(unconfirmed.payload, "a key")
    record = state.find(unconfirmed.envelope.provider, names(request.path, request.body))
    assert record, f"the API finds nothing at {urlsplit(request.path).path}"
    answer = msgspec.json.encode(APIS[unconfirmed.envelope.provider].of(record))
    envelope = unconfirmed.envelope
    received = Received(envelope.path, envelope.headers, envelope.raw, envelope.received_at)
    return confirmed_event(unconfirmed, api.read_response(unconfirmed.payload, received, answer), answer)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_webhook_of_a_story_is_read_as_the_row_that_is_expected_of_it(provider: str) -> None:
    (life,) = lives(Plan("abc", NOON, provider=provider))

    for posted in life.webhooks:
        _, key, event = event_of(posted)
        payload = cast("Any", event).payload
        for row in posted.rows + posted.passes:
            if row.service == "subscription":
                assert payload.user_id == row.key
            else:
                assert (key, getattr(payload, "status", None) or payload.state) == (row.key, row.status)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_two_orders_share_no_row_and_no_mail(provider: str) -> None:
    posted = [webhook for life in lives(Plan("abc", NOON, orders=2, provider=provider)) for webhook in life.webhooks]

    rows = [row for webhook in posted for row in webhook.rows]
    mails = [mail for webhook in posted for mail in webhook.mails]
    assert len(rows) == len(set(rows))
    assert len(mails) == len(set(mails))


@pytest.mark.parametrize("provider", sorted(APIS))
def test_an_api_knows_nothing_it_was_not_told(provider: str) -> None:
    assert ApiState().find(provider, names("/v1/payments/forged", b'{"tid": "forged"}')) is None
