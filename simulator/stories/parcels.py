"""Carriers and aggregators: the order's parcel is delivered.

Each story begins with the shop's order webhook and its shipping webhook, which names the parcel's order.
"""

from datetime import timedelta, timezone

import msgspec

from simulator.order import SimulatedOrder
from simulator.story import SimulatedWebhook, as_json, mail, ordered, packed, parcel
from simulator.world.api_state import ProviderRecord

KST = timezone(timedelta(hours=9))
CJ = "CJ대한통운"


def easypost(order: SimulatedOrder) -> tuple[SimulatedWebhook, ...]:
    """Return the shop's order and shipping webhooks, then EasyPost's `tracker.updated`."""
    at = order.at("shipping")
    location = {"object": "TrackingLocation", "city": "SEOUL", "state": None, "country": "KR", "zip": None}
    detail = {
        "object": "TrackingDetail",
        "message": "DELIVERED",
        "status": "delivered",
        "datetime": at,
        "tracking_location": location,
    }
    tracker = {
        "id": f"trk_{order.order_id}",
        "object": "Tracker",
        "mode": "test",
        "tracking_code": order.tracking_number,
        "status": "delivered",
        "created_at": order.at("payment"),
        "updated_at": at,
        "carrier": "UPS",
        "tracking_details": [detail],
    }
    event = {
        "id": f"evt_{order.order_id}",
        "object": "Event",
        "created_at": at,
        "description": "tracker.updated",
        "mode": "test",
        "previous_attributes": {"status": "in_transit"},
        "pending_urls": [],
        "completed_urls": [],
        "result": tracker,
    }
    return _delivered(order, "UPS", "/api/webhooks/easypost", as_json(event))


def aftership(order: SimulatedOrder) -> tuple[SimulatedWebhook, ...]:
    """Return the shop's order and shipping webhooks, then AfterShip's `tracking_update`."""
    at = order.moment("shipping")
    message = {
        "id": f"{order.order_id}",
        "tracking_number": order.tracking_number,
        "slug": "usps",
        "tag": "Delivered",
        "subtag": "Delivered_001",
        "order_id": order.order_id,
        "checkpoints": [{"checkpoint_time": at.isoformat(timespec="seconds"), "slug": "usps", "tag": "Delivered"}],
    }
    body = {
        "event": "tracking_update",
        "event_id": f"aftership-{order.order_id}",
        "is_tracking_first_tag": True,
        "msg": message,
        "ts": int(at.timestamp()),
    }
    return _delivered(order, "usps", "/api/webhooks/aftership", as_json(body))


def shippo(order: SimulatedOrder) -> tuple[SimulatedWebhook, ...]:
    """Return the shop's order and shipping webhooks, then Shippo's `track_updated`, in its test mode."""
    status = {
        "object_id": f"scan-{order.order_id}",
        "status": "DELIVERED",
        "status_date": order.at("shipping"),
        "status_details": "Your shipment has been delivered.",
        "location": {"city": "Las Vegas", "country": "US", "state": "NV", "zip": "89101"},
        "substatus": None,
    }
    data = {
        "carrier": "usps",
        "tracking_number": order.tracking_number,
        "metadata": f"order_id: {order.order_id}",
        "tracking_status": status,
        "tracking_history": [status],
    }
    body = {"event": "track_updated", "test": True, "data": data}
    return _delivered(order, "usps", "/api/webhooks/shippo", as_json(body))


def delivery_tracker(order: SimulatedOrder) -> tuple[SimulatedWebhook, ...]:
    """Return the shop's order and shipping webhooks, then a callback that only names the parcel.

    The status comes from the provider's API.
    """
    body = {"carrierId": "kr.cjlogistics", "trackingNumber": order.tracking_number}
    record = ProviderRecord(
        provider="delivery_tracker",
        alias=order.tracking_number,
        status="DELIVERED",
        at=order.at("shipping"),
        carrier="kr.cjlogistics",
    )
    path = "/api/webhooks/delivery_tracker"
    return _delivered(order, CJ, path, as_json(body), api=msgspec.json.encode(record))


def sweettracker(order: SimulatedOrder) -> tuple[SimulatedWebhook, ...]:
    """Return the shop's order and shipping webhooks, then a scan of level 6, 배송완료 (delivered)."""
    at = f"{order.moment('shipping').astimezone(KST):%Y-%m-%d %H:%M:%S}"
    body = {
        "secret_value": "",
        "fid": f"fid-{order.order_id}",
        "invoice_no": order.tracking_number,
        "level": 6,
        "time_trans": at,
        "time_sweet": at,
        "where": "서울 강남",
        "details": "배달완료",
        "comcode": "04",
    }
    return _delivered(order, CJ, "/api/webhooks/sweettracker", as_json(body))


STORIES = {
    "easypost": easypost,
    "aftership": aftership,
    "shippo": shippo,
    "delivery_tracker": delivery_tracker,
    "sweettracker": sweettracker,
}


def _delivered(
    order: SimulatedOrder, carrier: str, path: str, body: bytes, api: bytes | None = None
) -> tuple[SimulatedWebhook, ...]:
    row = parcel(order, carrier, "delivered")
    mails = (mail("ShipmentDelivered", row.key),)
    delivered = SimulatedWebhook(path, body, order.order_id, (row,), mails, api=api)
    return ordered(order), packed(order, carrier), delivered
