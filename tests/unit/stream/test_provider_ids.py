"""The ids that providers give their webhooks are found in the original bytes."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.events import provider_ids
from tests.builders import a_payment


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        ({"eventId": 7, "orderId": "O-1", "status": "DONE"}, ["7"]),
        ({"imp_uid": "imp_1", "merchant_uid": "O-1"}, ["imp_1"]),
        ({"aid": "A1", "tid": "T1", "partner_order_id": "O-1"}, ["A1", "T1"]),
        ({"id": "evt_1", "data": {"object": {"id": "pi_1", "latest_charge": "ch_1"}}}, ["evt_1", "pi_1", "ch_1"]),
        ({"type": "Transaction.Paid", "data": {"paymentId": "O-1", "transactionId": "tx_1"}}, ["tx_1"]),
        ({"eventType": "PAYMENT_STATUS_CHANGED", "data": {"paymentKey": "pk"}}, ["pk"]),
        ({"event_id": "uuid", "msg": {"id": "trk", "order_id": "O-1"}}, ["uuid", "trk"]),
        ({"data": {"cancels": [{"transactionKey": "t1"}, {"transactionKey": "t2"}]}}, ["t1", "t2"]),
        ({"orderId": "O-1", "status": "completed"}, []),
        ([], []),
        ("text", []),
    ],
)
def test_each_providers_ids_are_found_and_the_shops_are_not(body: Any, ids: list[str]) -> None:
    assert list(provider_ids.find(json.dumps(body).encode(), {})) == ids


def test_ids_in_headers_and_forms_are_found_too() -> None:
    headers = {"webhook-id": "msg_1", "idempotency-key": "k", "x-signature": "00"}

    assert provider_ids.find(b"imp_uid=imp%5F1&merchant_uid=O-1", headers) == ("k", "msg_1", "imp_1")


def test_a_record_is_also_found_by_its_provider_event_id() -> None:
    webhook = a_payment()
    envelope = msgspec.structs.replace(webhook.envelope, raw=b'{"aid":"A1"}', provider_event_id="A1:PAYMENT_COMPLETED")

    assert provider_ids.of(msgspec.structs.replace(webhook, envelope=envelope)) == ("A1:PAYMENT_COMPLETED", "A1")


@given(
    st.binary()
    | st.recursive(
        st.none() | st.text() | st.integers(),
        lambda v: st.lists(v) | st.dictionaries(st.sampled_from(["id", "data", "object"]), v),
    ).map(lambda v: json.dumps(v).encode())
)
def test_ids_found_in_any_bytes_fit_in_a_line_each(raw: bytes) -> None:
    assert all(name.isprintable() and 0 < len(name) <= provider_ids.MAX_LENGTH for name in provider_ids.find(raw, {}))
