"""Whatever comes, a provider reads it or refuses it: nothing else, for anything else would be a 500."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from providers import catalogue
from providers.contract import Provider, Received, RefusedWebhook, Translation
from providers.records import webhook_record
from stream.avro.codec import Codec
from stream.avro.registry import CommittedRegistry
from tests.unit.providers.posted import posted

LONGEST_COMPLAINT = 400
CODEC = Codec(CommittedRegistry())
KINDS = [pytest.param(provider, path, kind, id=path) for path, (provider, kind) in catalogue.BY_PATH.items()]
FIELDS = (
    "orderId status type paymentMethod transactionId amount paidAt trackingNumber carrier location timestamp refundId "
    "reason processedAt customerId customerEmail customerName sellerId sellerEmail locale currency link email name "
    "updatedAt "
    # of payment providers:
    "eventType createdAt data paymentKey totalAmount secret transactionKey cancelStatus cancels cancelAmount imp_uid "
    "merchant_uid aid eventId cancel_amount cancellation_id event payment_id tx_id no_tid no_oid type_msg amt_input "
    "no_vacct P_TID P_OID P_STATUS P_TYPE P_AMT approvedAt paid_at nextBillingAt failure customerKey"
).split()
WORDS = (
    "completed delivered pending canceled a@b.c KRW USD ko /x 1 2023-11-15T10:30:00Z CJ대한통운 \x00 \ud800 😀 "
    "paid DONE PAYMENT_STATUS_CHANGED payment.canceled billing.scheduled 0200 02 Transaction.Paid"
).split(" ")

plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(WORDS)
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
bodies = st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), values, max_size=8)
likely = st.fixed_dictionaries(
    {
        "orderId": st.integers(0, 9) | st.text(max_size=3),
        "customerId": st.integers(0, 9),
        "refundId": st.just("R"),
        "email": st.just("a@b.c"),
        "status": st.sampled_from(["completed", "delivered", "pending", "failed"]),
    }
)


def read_or_refused(provider: Provider, path: str, kind: str, body: bytes) -> None:
    """What is read is JSON and makes a record that survives the wire; what is refused says why, briefly."""
    received = posted(body, path=path)
    translation, complaint = attempt(provider, received, kind)
    if translation is None:
        assert 0 < len(complaint) <= LONGEST_COMPLAINT
    else:
        json.loads(body)
        record = webhook_record(provider, received, "signature", translation, "test").webhook
        assert CODEC.decode(CODEC.encode(record)) == record


def attempt(provider: Provider, received: Received, kind: str) -> tuple[Translation | None, str]:
    try:
        return provider.translate(received, kind), ""
    except RefusedWebhook as refused:
        return None, str(refused)


@pytest.mark.parametrize(("provider", "path", "kind"), KINDS)
@given(body=st.binary() | st.text().map(lambda text: text.encode()))
@example(b'{"orderId":1,"status":"completed","amount":"\xff"}')
@example(b'{"orderId":1,"status":"pending","x":"\\n","y":' + b"9" * 4301 + b"}")
@example(b'{"orderId":1,"status":"pending","x":"\xff"}')
def test_any_bytes_are_read_or_refused(provider: Provider, path: str, kind: str, body: bytes) -> None:
    read_or_refused(provider, path, kind, body)


@pytest.mark.parametrize(("provider", "path", "kind"), KINDS)
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(sure=likely, changes=bodies, ascii_only=st.booleans())
def test_any_json_is_read_or_refused(
    provider: Provider, path: str, kind: str, sure: dict[str, Any], changes: dict[str, Any], ascii_only: bool
) -> None:
    text = json.dumps(sure | changes, ensure_ascii=ascii_only)

    read_or_refused(provider, path, kind, text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(("provider", "path", "kind"), KINDS)
@given(sure=likely, at=st.integers(min_value=0), junk=st.binary(max_size=4))
def test_a_damaged_body_is_read_or_refused(
    provider: Provider, path: str, kind: str, sure: dict[str, Any], at: int, junk: bytes
) -> None:
    whole = json.dumps(sure).encode()
    cut = at % len(whole)

    read_or_refused(provider, path, kind, whole[:cut] + junk + whole[cut + 1 :])
