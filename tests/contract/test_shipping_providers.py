"""The aggregators of carriers, from their signed samples over HTTP to the parcels' rows and the customer's mail."""

import json
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from providers import catalogue
from providers.contract import Provider
from providers.parsing import form
from runtime import clock
from stream.events import topics
from tests.actors import Inbox, Shop, Store, new_order, until
from tests.log import reading
from tests.payloads import FORM, JSON, Post, authenticated, sample
from tests.posting import Answer, post

ROW = "SELECT status, order_id, carrier, last_location FROM shipments WHERE shipment_id = %s"


def new_number() -> str:
    """A tracking number no other test uses."""
    return f"{uuid.uuid4().int % 10**12:012}"


def row(name: str) -> Provider:
    return catalogue.BY_NAME[name]


def sent(system: dict[str, str], name: str, body: bytes, content_type: str = JSON) -> Answer:
    """What the gateway answers when this provider posts this body, proved."""
    provider = row(name)
    secret = system[provider.secret_setting].encode()
    return post(
        system["GATEWAY_URL"],
        authenticated(provider, next(iter(provider.paths)), body, secret, clock.now(), content_type),
    )


def tracker(number: str, status: str, **said: Any) -> bytes:
    """EasyPost's sample, of this parcel."""
    event = json.loads(sample("easypost", "tracker.updated.delivered.tracking-guide.json"))
    event["id"] = f"evt_{uuid.uuid4().hex}"
    event["result"] |= {"tracking_code": number, "status": status, "carrier": "CJLogistics", **said}
    return json.dumps(event).encode()


def test_easypost_moves_a_parcel(system: dict[str, str], shipments: Store) -> None:
    number = new_number()

    answer = sent(system, "easypost", tracker(number, "delivered"))

    assert (answer.status, answer.body) == (200, {"status": "success"})
    assert shipments.wait_for(ROW, f"cj:{number}") == [
        {
            "status": "delivered",
            "order_id": None,
            "carrier": "CJLogistics",
            "last_location": "SAN FRANCISCO, CA, US",
        }
    ]


def test_aftership_moves_a_parcel_of_the_order_it_names(system: dict[str, str], shipments: Store) -> None:
    number, order = new_number(), new_order()
    event = json.loads(sample("aftership", "tracking_update.InTransit.docs-2026-07-trimmed.json"))
    event["event_id"] = str(uuid.uuid4())
    event["msg"] |= {"tracking_number": number, "slug": "cj-korea-thai", "order_number": order}

    answer = sent(system, "aftership", json.dumps(event).encode())

    assert answer.status == 200
    assert shipments.wait_for(ROW, f"cj:{number}") == [
        {"status": "in_transit", "order_id": order, "carrier": "cj-korea-thai", "last_location": None}
    ]


@pytest.mark.parametrize("proof", ["signature", "token in the path", "token in the query"])
def test_shippo_moves_a_parcel_whichever_way_it_is_proved(proof: str, system: dict[str, str], shipments: Store) -> None:
    number, order = new_number(), new_order()
    event = json.loads(sample("shippo", "track_updated.docs-example.json"))
    event["data"] |= {"tracking_number": number, "metadata": f"order_id={order}"}
    body, token = json.dumps(event).encode(), system["SHIPPO_WEBHOOK_SECRET"]
    ways = {
        "signature": authenticated(row("shippo"), "/api/webhooks/shippo", body, token.encode(), clock.now()),
        "token in the path": Post(f"/api/webhooks/shippo/{token}", body, {}),
        "token in the query": Post(f"/api/webhooks/shippo?token={token}", body, {}),
    }

    answer = post(system["GATEWAY_URL"], ways[proof])

    assert answer.status == 200
    assert shipments.wait_for(ROW, f"usps:{number}") == [
        {"status": "delivered", "order_id": order, "carrier": "usps", "last_location": "Las Vegas, NV, US"}
    ]


@pytest.mark.parametrize("content_type", [JSON, FORM])
def test_sweettracker_moves_a_parcel_by_form_and_by_json(
    content_type: str, system: dict[str, str], shipments: Store
) -> None:
    number = new_number()
    fields = {**form.parameters(sample("sweettracker", "callback.composed.form"), "utf-8"), "invoice_no": number}
    body = json.dumps(fields).encode() if content_type == JSON else urlencode(fields).encode()

    answer = sent(system, "sweettracker", body, content_type)

    assert (answer.status, answer.body) == (200, {"code": True, "message": "success"})
    assert shipments.wait_for(ROW, f"cj:{number}") == [
        {"status": "out_for_delivery", "order_id": None, "carrier": "CJ대한통운", "last_location": "서울강남"}
    ]
    (stored,) = shipments.rows(
        "SELECT metadata -> 'webhook' AS webhook FROM shipments WHERE tracking_number = %s", number
    )
    assert stored["webhook"] == (fields if content_type == JSON else body.decode())


def test_delivery_tracker_asks_for_the_parcel(system: dict[str, str]) -> None:
    alias = f"kr.cjlogistics:{new_number()}"
    carrier, number = alias.split(":")

    with reading(system, topics.UNCONFIRMED) as log:
        answer = sent(system, "delivery_tracker", json.dumps({"carrierId": carrier, "trackingNumber": number}).encode())
        verification_request = log.wait_for(lambda record: record.payload.alias == alias)

    assert answer.status == 202
    assert verification_request.envelope.verification == "shared_secret"


def test_two_providers_follow_one_parcel_and_its_customer_is_told_once(
    system: dict[str, str], shop: Shop, inbox: Inbox, shipments: Store
) -> None:
    number, order = new_number(), new_order()
    customer = f"{order.lower()}@example.test"
    shop.post("order", {"orderId": order, "customerEmail": customer})
    sent(system, "easypost", tracker(number, "delivered"))
    shipments.wait_for(ROW, f"cj:{number}")

    shop.post(
        "shipping",
        {"orderId": order, "status": "in_transit", "carrier": "CJ대한통운", "trackingNumber": number},
    )
    sent(system, "easypost", tracker(number, "delivered"))

    (mail,) = inbox.wait_for(customer)
    assert mail["Subject"] == f"주문 {order}: 상품이 배송되었습니다"
    until(lambda: history(shipments, number), lambda rows: len(rows) == 3)
    assert history(shipments, number)[:2] == [("delivered", "processed"), ("in_transit", "late")]
    assert len(inbox.mails_to(customer)) == 1


def history(shipments: Store, number: str) -> list[tuple[str, str]]:
    rows = shipments.rows(
        "SELECT status, outcome FROM shipment_history WHERE shipment_id = %s ORDER BY received_at", f"cj:{number}"
    )
    return [(row["status"], row["outcome"]) for row in rows]


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("easypost", "batch.created.webhooks-guide.json"),
        ("sweettracker", "callback.scan-error.composed.json"),
    ],
)
def test_what_moves_no_parcel_is_answered_in_the_providers_own_words(
    name: str, file: str, system: dict[str, str]
) -> None:
    answer = sent(system, name, sample(name, file))

    wanted = {"easypost": {"status": "success"}, "sweettracker": {"code": False, "message": "fail"}}
    assert (answer.status, answer.body) == (200, wanted[name])


@pytest.mark.parametrize("at", ["", "/hunter2", "?token=hunter2"])
@pytest.mark.parametrize(("name", "status"), [("shippo", 401), ("delivery_tracker", 404), ("sweettracker", 404)])
def test_who_does_not_know_the_token_is_turned_away(name: str, status: int, at: str, system: dict[str, str]) -> None:
    answer = post(system["GATEWAY_URL"], Post(f"/api/webhooks/{name}{at}", b"{}", {}))

    assert answer.status == status


def test_a_token_is_in_no_record_and_in_no_log(system: dict[str, str]) -> None:
    token, number = system["SWEETTRACKER_WEBHOOK_SECRET"], new_number()
    last = urlencode({"invoice_no": number, "level": "6", "comcode": "04"}).encode()
    wrong = (f"/{token}/", f"/wrong-{token}", f"//{token}", f"?token={token}x", f"/a?token={token}", f"/{token}x/y")

    def knock() -> list[Any]:  # again, for only so many refusals a second are kept
        answers = [post(system["GATEWAY_URL"], Post(f"/api/webhooks/sweettracker{path}", b"{}", {})) for path in wrong]
        assert {answer.status for answer in answers} <= {400, 404}
        return rejected.read()

    with reading(system, topics.REFUSALS) as rejected, reading(system, topics.SHIPPING_WEBHOOKS) as accepted:
        sent(system, "sweettracker", last, FORM)
        records = [
            accepted.wait_for(lambda record: record.payload.tracking_number == number),
            *until(knock, lambda records: len(records) >= len(wrong)),
        ]

    assert {getattr(record, "path", None) or record.envelope.path for record in records} == {
        "/api/webhooks/sweettracker"
    }
    assert not [record for record in records if token in repr(record)]
    logs = [path.read_text(errors="replace") for path in Path(system["RUN_FOLDER"], "log").iterdir()]
    assert logs
    assert not any(token in written for written in logs)
