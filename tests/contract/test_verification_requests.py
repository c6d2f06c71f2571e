"""Providers' own webhooks at the gateway: their answers to the letter, and what goes to the confirmer."""

from typing import Any

import pytest

from providers.contract import Provider
from providers.inicis import webhook as inicis
from providers.portone_v1 import webhook as portone_v1
from providers.portone_v2 import webhook as portone_v2
from providers.toss import webhook as toss
from runtime import clock
from simulator import signing
from stream.events import topics
from tests.actors import new_order
from tests.contract.posting import Answer, post, written
from tests.log import reading

RECEIVED = (200, b'{"received":true}', "application/json")
OK = (200, b"OK", "text/plain")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def posted(system: dict[str, str], provider: Provider, body: Any, path: str | None = None) -> Answer:
    secret = system[provider.secret_setting].encode()
    signed = signing.sign(provider, written(body), secret, clock.now())
    return post(system["GATEWAY_URL"], path or next(iter(provider.paths)), body, signed)


@pytest.mark.parametrize(
    ("provider", "body", "answer"),
    [
        (toss.PROVIDER, '{"eventType":"PAYMENT_STATUS_CHANGED","orderId":"%s","status":"DONE"}', RECEIVED),
        (toss.PROVIDER, '{"createdAt":"x","secret":"s","status":"DONE","orderId":"%s"}', RECEIVED),
        (portone_v1.PROVIDER, '{"imp_uid":"%s","status":"paid"}', RECEIVED),
        (portone_v1.PROVIDER, "imp_uid=%s&status=paid", RECEIVED),
        (portone_v2.PROVIDER, '{"type":"Transaction.Paid","data":{"paymentId":"%s"}}', RECEIVED),
        (portone_v2.PROVIDER, "payment_id=%s&status=Paid", RECEIVED),
        (inicis.PROVIDER, "no_tid=%s&type_msg=0200&amt_input=1000&nm_input=%%C8%%AB", OK),
        (inicis.PROVIDER, '{"P_TID":"%s","P_STATUS":"02"}', OK),
    ],
)
def test_contract_b_what_has_to_be_confirmed_is_answered_and_asked(
    provider: Provider, body: str, answer: Any, system: dict[str, str]
) -> None:
    name = new_order()
    with reading(system, topics.UNCONFIRMED) as records:
        received = posted(system, provider, (body % name).encode())
        record = records.wait_for(lambda record: record.payload.alias == name)

    assert received == answer
    assert record.envelope.provider == provider.name


@pytest.mark.parametrize(
    ("provider", "body", "answer"),
    [
        (toss.PROVIDER, '{"eventType":"BILLING_DELETED","data":{"billingKey":"%s"}}', RECEIVED),
        (toss.PROVIDER, '{"eventType":"payout.changed","eventId":"%s"}', RECEIVED),
        (portone_v1.PROVIDER, '{"event":"Inicis.Escrow.Changed","imp_uid":"%s"}', RECEIVED),
        (portone_v2.PROVIDER, '{"type":"Transaction.Confirm","data":{"paymentId":"%s"}}', RECEIVED),
        (inicis.PROVIDER, "P_TID=%s&P_STATUS=00&P_TYPE=VBANK", OK),
    ],
)
def test_what_tells_of_no_payment_is_answered_and_kept(
    provider: Provider, body: str, answer: Any, system: dict[str, str]
) -> None:
    name = new_order()
    with reading(system, topics.QUARANTINE) as records:
        received = posted(system, provider, (body % name).encode())
        stored = records.wait_for(lambda record: name.encode() in record.raw)

    assert received == answer
    assert (stored.provider, stored.cause) == (provider.name, "unsupported_type")


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "said"),
    [
        ("/api/webhooks/inicis", b"no_tid", FORM, 400, b"FAIL"),
        ("/api/webhooks/inicis", b"", FORM, 400, b"FAIL"),
        ("/api/webhooks/iamport", b"imp_uid=%00", FORM, 400, b'"invalid_field"'),
        ("/api/webhooks/toss", b"imp_uid=1", FORM, 415, b'"unsupported_media_type"'),
        ("/api/webhooks/toss", b'{"eventType":"payout.changed"}', {}, 401, b'"invalid_signature"'),
        ("/api/webhooks/portone_v2", b"{}", {}, 400, b'"invalid_signature"'),
    ],
)
def test_what_cannot_be_taken_is_refused_in_the_providers_words(
    path: str, body: bytes, headers: dict[str, str], status: int, said: bytes, system: dict[str, str]
) -> None:
    received = post(system["GATEWAY_URL"], path, body, headers)

    assert received.status == status
    assert said in received.body
