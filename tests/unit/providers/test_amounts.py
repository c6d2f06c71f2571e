"""One JSON number is one amount however it is written, in every provider's webhooks and in its API's answers."""

import json
import re
from typing import Any

import pytest

from providers import catalogue
from providers.contract import InvalidField, Provider, Received, RefusedWebhook
from providers.inicis import webhook as inicis
from providers.portone_v1 import webhook as portone_v1
from providers.portone_v2 import webhook as portone_v2
from providers.toss import webhook as toss
from tests.payloads import SECRET, authenticated, samples
from tests.unit.providers.api_answers import payment
from tests.unit.providers.posted import NOW, a_payment, posted

AMOUNT = re.compile(rb'("(?:\w*_)?(?:amount|total|price)\w*"\s*:\s*)(\d+)(?=\s*[,}\]])', re.IGNORECASE)
ROWS = [pytest.param(row, path, kind, id=path) for row in catalogue.ROWS for path, kind in row.paths.items()]
SPELLINGS = (rb"\g<1>\g<2>.0", rb"\g<1>\g<2>.000E0", rb"\g<1>\g<2>.00e+00")


def read(row: Provider, path: str, kind: str, body: bytes) -> object:
    try:
        return row.translate(authenticated(row, path, body, SECRET, NOW).received(NOW), kind)
    except RefusedWebhook as refused:
        return refused.cause


@pytest.mark.parametrize(("row", "path", "kind"), ROWS)
def test_a_sample_says_the_same_when_its_amounts_are_written_otherwise(row: Provider, path: str, kind: str) -> None:
    for sample in samples(row.name):
        whole = sample.read_bytes()
        for spelling in SPELLINGS:
            assert read(row, path, kind, AMOUNT.sub(spelling, whole)) == read(row, path, kind, whole), sample


def answers(amount: str, currency: str) -> list[tuple[Provider, Any, bytes]]:
    """What each payment provider's API answers of a payment of this amount."""
    key = {"paymentKey": "P-1", "orderId": "O-1", "status": "DONE"}
    toss_payment = {**key, "currency": currency, "approvedAt": "2024-01-01T00:00:00+09:00"}
    v1_payment = {"imp_uid": "P-1", "merchant_uid": "O-1", "status": "paid", "paid_at": 1_700_000_000}
    v2_payment = {"id": "P-1", "status": "PAID", "currency": currency, "paidAt": "2024-01-01T00:00:00Z"}
    tid = {"resultCode": "SUCCESS", "tid": "P-1", "oid": "O-1", "transactionStatus": "APPROVAL"}
    templates = [
        (toss.PROVIDER, {"eventType": "PAYMENT_STATUS_CHANGED", "data": key}, {**toss_payment, "totalAmount": 0}),
        (
            portone_v1.PROVIDER,
            {"imp_uid": "P-1", "status": "paid"},
            {"response": {**v1_payment, "currency": currency, "amount": 0}},
        ),
        (portone_v2.PROVIDER, {"payment_id": "P-1", "status": "Paid"}, {**v2_payment, "amount": {"total": 0}}),
        (inicis.PROVIDER, {"no_tid": "P-1", "type_msg": "0200"}, {**tid, "price": 0}),
    ]
    written = f": {amount}"
    return [
        (provider, body, json.dumps(answer).replace(": 0", written).encode()) for provider, body, answer in templates
    ]


@pytest.mark.parametrize("amount", ["58000", "58000.0", "5.8E4", "58000.00e0"])
@pytest.mark.parametrize("currency", ["KRW", "krw"])
def test_an_api_may_answer_so_too(amount: str, currency: str) -> None:
    for provider, body, answer in answers(amount, currency):
        payload = payment(provider, body, answer)

        assert (payload.amount, payload.currency) == (58000, "KRW"), provider.name


@pytest.mark.parametrize("amount", ["58000.5", "5.80005e4", "1e999999999", "-58000.0", "1e16"])
def test_an_answer_that_is_finer_than_its_currency_is_not_rounded(amount: str) -> None:
    for provider, body, answer in answers(amount, "KRW"):
        with pytest.raises(InvalidField):
            payment(provider, body, answer)


@pytest.mark.parametrize("amount", [b"58000.0", b"5.8E4", b"58000"])
def test_a_deposit_of_inicis_may_say_so_too_and_is_held_against_the_answer(amount: bytes) -> None:
    answer = {"resultCode": "SUCCESS", "tid": "P-1", "transactionStatus": "APPROVAL", "price": "58000"}
    form = {"content-type": "application/x-www-form-urlencoded"}
    for body, headers in (
        (b"no_tid=P-1&type_msg=0200&amt_input=" + amount, form),
        (b'{"no_tid": "P-1", "type_msg": "0200", "amt_input": ' + amount + b"}", {}),
    ):
        claims = inicis.translate(Received("/api/webhooks/inicis", headers, body, NOW), "payment").payload.claims  # type: ignore[attr-defined]

        assert claims["amount"] == "58000"
    assert payment(inicis.PROVIDER, {"no_tid": "P-1", "type_msg": "0200", "amt_input": 58000.0}, answer).amount == 58000


def test_won_have_no_fractions_in_contract_a() -> None:
    for amount in (b"58000.5", b"1e-1", b"58000.0000001"):
        body = json.dumps(a_payment()).encode()[:-1] + b', "amount": ' + amount + b"}"

        assert read(catalogue.BY_NAME["generic"], "/webhooks/payment", "payment", body) == "invalid_field"


@pytest.mark.parametrize("currency", ["usd", "Usd", "xcg", "hrk", "BGN", "deM"])
def test_an_order_may_be_in_any_currency_there_ever_was(currency: str) -> None:
    shop = catalogue.BY_NAME["shop"]
    body = {"orderId": 1, "customerId": 2, "amount": 12.5, "currency": currency}

    payload = shop.translate(posted(body, path="/webhooks/order"), "order").payload

    assert (payload.amount, payload.currency) == (1250, currency.upper())  # type: ignore[attr-defined]
