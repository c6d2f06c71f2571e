"""EasyPost: signed events of trackers. `X-Hmac-Signature` is `hmac-sha256-hex=` and the HMAC of the raw body.

The key is the secret in Unicode's form NFKD. An event has no order of the shop: contract A or another provider links
the parcel to its order. Table 7.7 leaves two choices: a parcel that waits at a pickup point is out for delivery;
`error` is about the look-up and not about the parcel, so it changes nothing, like `unknown`.
"""

import hmac
import unicodedata
from collections.abc import Sequence

import msgspec

from providers.contract import Forged, Provider, Received, Translation, Unsupported
from providers.parsing import json_body, parcels
from providers.parsing.fields import ABSENT, Id, Instant, StrictOptional, Text
from providers.parsing.parcels import Word
from providers.parsing.timestamps import instant
from providers.signing.comparison import any_equal
from stream.events import Mode, ShippingStatus, Verification

SIGNATURE = "x-hmac-signature"
SCHEME = "hmac-sha256-hex="
TRACKED = ("tracker.created", "tracker.updated")
STATUSES: dict[str, ShippingStatus] = {
    "pre_transit": "preparing",
    "in_transit": "in_transit",
    "out_for_delivery": "out_for_delivery",
    "available_for_pickup": "out_for_delivery",
    "delivered": "delivered",
    "return_to_sender": "failed",
    "failure": "failed",
    "cancelled": "failed",
}
MODES: dict[str, Mode] = {"test": "test", "production": "live"}


class TrackerEvent(msgspec.Struct):
    id: Id
    description: Word
    mode: StrictOptional[Word] = None
    result: msgspec.Raw = ABSENT


class TrackingLocation(msgspec.Struct):
    city: Text | None = None
    state: Text | None = None
    country: Text | None = None


class TrackingDetail(msgspec.Struct):
    status: Word | None = None
    datetime: Instant = ABSENT
    tracking_location: TrackingLocation | None = None


class Tracker(msgspec.Struct):
    tracking_code: Id
    status: Word
    carrier: Text | None = None
    updated_at: Instant = ABSENT
    tracking_details: list[TrackingDetail] | None = None


_event = msgspec.json.Decoder(TrackerEvent)
_tracker = msgspec.json.Decoder(Tracker)


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:
    """Return `signature` if the header holds the raw body's signature with one of the secrets; else raise Forged."""
    given = received.headers.get(SIGNATURE, "").strip().lower().encode("latin-1")
    if not any_equal((_signature(received.body, secret) for secret in secrets), [given]):
        raise Forged("X-Hmac-Signature is not the HMAC-SHA256 of this body")
    return "signature"


def translate(received: Received, _kind: str) -> Translation:
    """Translate an event of a tracker.

    Raises Unsupported for other events, statuses that change nothing and unknown modes, Malformed or InvalidField for a
    body that cannot be read.
    """
    event = json_body.read(_event, received.body)
    if event.description not in TRACKED:
        raise Unsupported(f"{event.description} is not about a parcel")
    tracker = json_body.read(_tracker, parcels.detail(event.result, "result"))
    status = parcels.status(STATUSES, tracker.status)
    scan = _last_scan(tracker)
    location = scan.tracking_location or TrackingLocation()
    scanned_at = instant(scan.datetime, "datetime") or instant(tracker.updated_at, "updated_at")
    payload = parcels.payload(
        carrier=tracker.carrier,
        number=tracker.tracking_code,
        status=status,
        location=parcels.location(location.city, location.state, location.country),
        scanned_at=scanned_at,
    )
    if event.mode and event.mode not in MODES:
        raise Unsupported(f"the mode {event.mode} is not known: it may be a test or not")
    mode = MODES[event.mode] if event.mode else None
    return Translation(payload, event.description, scanned_at, event.id, mode)


def _signature(payload: bytes, secret: bytes) -> bytes:
    key = unicodedata.normalize("NFKD", secret.decode(errors="surrogateescape")).encode(errors="surrogateescape")
    return f"{SCHEME}{hmac.digest(key, payload, 'sha256').hex()}".encode()


def _last_scan(tracker: Tracker) -> TrackingDetail:
    """Return the last detail with the tracker's own status, since the list may be out of order; else an empty one."""
    details = [detail for detail in tracker.tracking_details or () if detail.status == tracker.status]
    return details[-1] if details else TrackingDetail()


PROVIDER = Provider(
    name="easypost",
    paths={"/api/webhooks/easypost": "shipping"},
    secret_setting="EASYPOST_WEBHOOK_SECRET",
    verify=verify,
    translate=translate,
    stored_headers=frozenset({SIGNATURE}),
    authentication="`X-Hmac-Signature`: hex HMAC-SHA256 of the raw body, the secret NFKD-normalised",
    events="`tracker.created`, `tracker.updated`; others are quarantined",
)
