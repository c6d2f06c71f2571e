"""AfterShip Tracking: `aftership-hmac-sha256` is the base64 HMAC-SHA256 of the raw body.

`ts`, the time of the event, is part of the body and stays the same through 68 hours of retries, so no webhook is stale.
A parcel that waits at a pickup point is out for delivery, the nearest status of table 7.7.
"""

import hmac
from base64 import b64encode
from collections.abc import Sequence

import msgspec

from providers.contract import Forged, Provider, Received, Translation, Unsupported
from providers.parsing import json_body, parcels
from providers.parsing.fields import ABSENT, AnyJson, Id, Instant, Text
from providers.parsing.parcels import Word
from providers.parsing.timestamps import instant
from providers.signing.comparison import any_equal
from stream.events import ShippingStatus, Verification

SIGNATURE = "aftership-hmac-sha256"
VERSION = "as-webhook-version"
STATUSES: dict[str, ShippingStatus] = {
    "Pending": "preparing",
    "InfoReceived": "preparing",
    "InTransit": "in_transit",
    "OutForDelivery": "out_for_delivery",
    "AvailableForPickup": "out_for_delivery",
    "Delivered": "delivered",
    "AttemptFail": "failed",
    "Exception": "failed",
    "Expired": "failed",
}


class TrackingUpdate(msgspec.Struct):
    event: Word
    event_id: Id
    msg: msgspec.Raw = ABSENT
    ts: Instant = ABSENT


class Checkpoint(msgspec.Struct):
    tag: Word | None = None
    checkpoint_time: Instant = ABSENT
    location: Text | None = None
    city: Text | None = None
    state: Text | None = None
    country_name: Text | None = None


class Tracking(msgspec.Struct):
    tracking_number: Id
    tag: Word
    slug: Text | None = None
    order_id: AnyJson = None
    order_number: AnyJson = None
    custom_fields: dict[str, AnyJson] | None = None
    checkpoints: list[Checkpoint] | None = None
    return_to_sender: bool | None = None


_event = msgspec.json.Decoder(TrackingUpdate)
_tracking = msgspec.json.Decoder(Tracking)


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:
    """Return `signature` if the header holds the raw body's signature with one of the secrets; else raise Forged."""
    given = received.headers.get(SIGNATURE, "").strip().encode("latin-1")
    if not any_equal((_signature(received.body, secret) for secret in secrets), [given]):
        raise Forged("aftership-hmac-sha256 is not the HMAC-SHA256 of this body")
    return "signature"


def translate(received: Received, _kind: str) -> Translation:
    """Translate a `tracking_update`.

    Raises Unsupported for other events and unknown tags, Malformed or InvalidField for a body that cannot be read.
    """
    event = json_body.read(_event, received.body)
    if event.event != "tracking_update":
        raise Unsupported(f"{event.event} does not change a parcel")
    tracking = json_body.read(_tracking, parcels.detail(event.msg, "msg"))
    status = parcels.status(STATUSES, tracking.tag)
    if tracking.return_to_sender and status in ("out_for_delivery", "delivered"):
        status = "failed"  # the parcel goes back to its sender
    scan = _last_scan(tracking)
    # AfterShip's own time of the event is used if the carrier's has no zone.
    scanned_at = instant(scan.checkpoint_time, "checkpoint_time") or instant(event.ts, "ts")
    payload = parcels.payload(
        carrier=tracking.slug,
        number=tracking.tracking_number,
        status=status,
        order_id=parcels.order_id(
            tracking.order_id, tracking.order_number, (tracking.custom_fields or {}).get("order_id")
        ),
        location=parcels.location(scan.location) or parcels.location(scan.city, scan.state, scan.country_name),
        scanned_at=scanned_at,
    )
    return Translation(payload, event.event, scanned_at, event.event_id)


def _signature(payload: bytes, secret: bytes) -> bytes:
    return b64encode(hmac.digest(secret, payload, "sha256"))


def _last_scan(tracking: Tracking) -> Checkpoint:
    """Return the last checkpoint with the parcel's own status; an empty one if there is none."""
    scans = [scan for scan in tracking.checkpoints or () if scan.tag == tracking.tag]
    return scans[-1] if scans else Checkpoint()


PROVIDER = Provider(
    name="aftership",
    paths={"/api/webhooks/aftership": "shipping"},
    secret_setting="AFTERSHIP_WEBHOOK_SECRET",
    verify=verify,
    translate=translate,
    stored_headers=frozenset({SIGNATURE, VERSION}),
    authentication="`aftership-hmac-sha256`: base64 HMAC-SHA256 of the raw body",
    events="`tracking_update`; others are quarantined",
)
