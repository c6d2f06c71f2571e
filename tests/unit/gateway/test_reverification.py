"""A quarantined webhook becomes, when it is verified again, the event that it would have been on arrival."""

import msgspec
import pytest

from gateway.http.refusals import Refusal
from gateway.intake.authentication import Authentication
from gateway.intake.reverification import NotReleasable, reverify
from gateway.settings import GatewaySettings
from providers import catalogue
from providers.addressing import KeyedWebhook
from providers.contract import Provider, Received, RefusedWebhook
from providers.records import webhook_record
from simulator import signing
from stream.events import Micros, QuarantinedWebhook, Verification, ids
from tests.payloads import SECRET, authentications, samples
from tests.unit.providers.posted import NOW

PATHS = [pytest.param(path, id=path) for path in catalogue.BY_PATH]
BODY = b'{"orderId": "1", "status": "completed"}'


def settings(**given: object) -> GatewaySettings:
    secrets = {row.secret_setting.lower(): SECRET.decode() for row in catalogue.ROWS}
    return GatewaySettings(**{"kafka_bootstrap_servers": "localhost:1", "mode": "test", **secrets, **given})  # type: ignore[arg-type]


AUTHENTICATION = Authentication(settings())


def quarantined(provider: Provider, received: Received, verification: Verification) -> QuarantinedWebhook:
    return QuarantinedWebhook(
        event_id=ids.unreadable_body_id(provider.name, received.body),
        provider=provider.name,
        mode="test",
        cause="invalid_field",
        detail="as an older gateway saw it",
        verification=verification,
        received_at=Micros(received.received_at),
        path=received.path,
        headers=provider.select_headers(received.headers),
        raw=received.body,
    )


def a_quarantined_payment(**changed: object) -> QuarantinedWebhook:
    provider = catalogue.BY_NAME["generic"]
    headers = {name.lower(): value for name, value in signing.sign(provider, BODY, SECRET, NOW).items()}
    made = quarantined(provider, Received("/webhooks/payment", headers, BODY, NOW), "signature")
    return msgspec.structs.replace(made, **changed)


@pytest.mark.parametrize("path", PATHS)
def test_it_becomes_what_it_would_have_been(path: str) -> None:
    row, _ = catalogue.BY_PATH[path]
    for sample in samples(row.name):
        for way, post in authentications(row, path, sample.read_bytes(), SECRET, NOW):
            if catalogue.split(post.path) is None:
                continue
            received = post.received(NOW)
            provider, kind = catalogue.find(received.path, received.headers)
            try:
                verification = AUTHENTICATION.authenticate(provider, received)
            except Refusal:  # a forged webhook is not quarantined
                continue
            became = read(quarantined(provider, received, verification))
            assert became == as_it_came(provider, kind, received, verification), (sample.name, way)


def as_it_came(provider: Provider, kind: str, received: Received, verification: Verification) -> KeyedWebhook | str:
    try:
        translation = AUTHENTICATION.translate(provider, kind, received, verification)
    except RefusedWebhook as why:
        return why.cause
    if translation.mode not in (None, "test"):
        return "other_mode"
    return webhook_record(provider, received, verification, translation, "test")


def read(stored: QuarantinedWebhook, authentication: Authentication = AUTHENTICATION) -> KeyedWebhook | str:
    try:
        return reverify(stored, authentication, "test")
    except (NotReleasable, Refusal, RefusedWebhook) as refused:
        return refused.cause


def test_what_no_secret_proves_today_stays() -> None:
    assert read(a_quarantined_payment(headers={"x-webhook-signature": "0" * 64})) == "invalid_signature"
    assert read(a_quarantined_payment(headers={})) == "invalid_signature"
    another = Authentication(settings(webhook_secret="another secret of the shop"))  # noqa: S106
    assert read(a_quarantined_payment(), another) == "invalid_signature"


def test_a_body_without_its_type_stays_while_types_are_required() -> None:
    strict = Authentication(settings(webhook_require_type=True))

    assert read(a_quarantined_payment(), strict) == "wrong_event"
    assert isinstance(read(a_quarantined_payment()), KeyedWebhook)


def test_a_provider_that_is_off_or_without_its_secret_stays() -> None:
    assert read(a_quarantined_payment(), Authentication(settings(generic_active=False))) == "provider_not_configured"
    contract_c = a_quarantined_payment(provider="tosspayments", path="/api/webhooks/tosspayments")
    assert read(contract_c, Authentication(settings(tosspayments_webhook_secret=""))) == "webhook_secret_not_configured"


def test_a_path_that_is_no_more_its_senders_stays() -> None:
    assert read(a_quarantined_payment(path="/webhooks/gone")) == "unknown_path"
    assert read(a_quarantined_payment(provider="stripe")) == "unknown_path"


def test_a_webhook_without_a_mode_has_that_of_the_gateway_that_quarantined_it() -> None:
    assert read(a_quarantined_payment(mode="live")) == "other_mode"
