"""What was kept aside is, when it is read again, the event it would have been when it came; and nothing else."""

import msgspec
import pytest

from gateway.http.refusals import Refusal
from gateway.intake import reverification
from gateway.intake.authentication import Authentication
from gateway.intake.reverification import Still
from gateway.settings import GatewaySettings
from providers import catalogue
from providers.addressing import Addressed
from providers.contract import Provider, Received, RefusedWebhook
from providers.records import webhook
from stream.events import QuarantinedWebhook, Verification, ids
from tests.payloads import SECRET, samples, ways
from tests.unit.providers.posted import NOW

PATHS = [pytest.param(path, id=path) for path in catalogue.BY_PATH]
BODY = b'{"orderId": "1", "status": "completed"}'


def settings(**given: object) -> GatewaySettings:
    secrets = {row.secret_setting.lower(): SECRET.decode() for row in catalogue.ROWS}
    return GatewaySettings(**{"kafka_bootstrap_servers": "localhost:1", "mode": "test", **secrets, **given})  # type: ignore[arg-type]


PROOF = Authentication(settings())


def kept(provider: Provider, received: Received, verification: Verification) -> QuarantinedWebhook:
    return QuarantinedWebhook(
        event_id=ids.unreadable_body_id(provider.name, received.body),
        provider=provider.name,
        mode="test",
        cause="invalid_field",
        detail="as an older gateway saw it",
        verification=verification,
        received_at=received.received_at,
        path=received.path,
        headers=provider.keep(received.headers),
        raw=received.body,
    )


def a_kept_payment(**changed: object) -> QuarantinedWebhook:
    provider = catalogue.NAMES["generic"]
    headers = {name.lower(): value for name, value in provider.sign(BODY, SECRET, NOW).items()}
    made = kept(provider, Received("/webhooks/payment", headers, BODY, NOW), "signature")
    return msgspec.structs.replace(made, **changed)


@pytest.mark.parametrize("path", PATHS)
def test_it_becomes_what_it_would_have_been(path: str) -> None:
    row, _ = catalogue.BY_PATH[path]
    for sample in samples(row.name):
        for way, post in ways(row, path, sample.read_bytes(), SECRET, NOW):
            if catalogue.split(post.path) is None:
                continue
            received = post.received(NOW)
            provider, kind = catalogue.find(received.path, received.headers)
            try:
                verification = PROOF.prove(provider, received)
            except Refusal:  # nobody keeps what nothing proves
                continue
            became = read(kept(provider, received, verification))
            assert became == as_it_came(provider, kind, received, verification), (sample.name, way)


def as_it_came(provider: Provider, kind: str, received: Received, verification: Verification) -> Addressed | str:
    try:
        told = PROOF.translate(provider, kind, received, verification)
    except RefusedWebhook as why:
        return why.cause
    if told.mode not in (None, "test"):
        return "other_mode"
    return webhook(provider, received, verification, told, "test")


def read(one: QuarantinedWebhook, proof: Authentication = PROOF) -> Addressed | str:
    try:
        return reverification.read(one, proof, "test")
    except (Still, Refusal, RefusedWebhook) as why:
        return why.cause


def test_what_no_secret_proves_today_stays() -> None:
    assert read(a_kept_payment(headers={"x-webhook-signature": "0" * 64})) == "invalid_signature"
    assert read(a_kept_payment(headers={})) == "invalid_signature"
    another = Authentication(settings(webhook_secret="another secret of the shop"))  # noqa: S106
    assert read(a_kept_payment(), another) == "invalid_signature"


def test_a_body_without_its_type_stays_while_types_are_required() -> None:
    strict = Authentication(settings(webhook_require_type=True))

    assert read(a_kept_payment(), strict) == "wrong_event"
    assert isinstance(read(a_kept_payment()), Addressed)


def test_a_provider_that_is_off_or_without_its_secret_stays() -> None:
    assert read(a_kept_payment(), Authentication(settings(generic_active=False))) == "provider_not_configured"
    contract_c = a_kept_payment(provider="tosspayments", path="/api/webhooks/tosspayments")
    assert read(contract_c, Authentication(settings(tosspayments_webhook_secret=""))) == "webhook_secret_not_configured"


def test_a_path_that_is_no_more_its_senders_stays() -> None:
    assert read(a_kept_payment(path="/webhooks/gone")) == "unknown_path"
    assert read(a_kept_payment(provider="stripe")) == "unknown_path"


def test_what_names_no_mode_is_of_that_of_the_gateway_that_kept_it() -> None:
    assert read(a_kept_payment(mode="live")) == "other_mode"
