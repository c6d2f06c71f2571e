"""Shippo: signed if the account has that feature, else authenticated by a token in the URL.

`Shippo-Auth-Signature: t=<seconds>,v1=<hex>` is the HMAC-SHA256 of `{t}.{raw body}`. Its maximum age is not documented;
an hour admits its retries. A parcel that waits at a pickup point is out for delivery.
"""

import re
from collections.abc import Sequence

import msgspec

from providers.contract import Forged, Provider, Received, Stale, Translation, Unsupported
from providers.parsing import carriers, json_body, parcels
from providers.parsing.fields import ABSENT, Id, Instant, StrictOptional, Text
from providers.parsing.parcels import Word
from providers.parsing.timestamps import instant, is_present, raw_text
from providers.signing import url_token
from providers.signing.comparison import any_equal
from providers.signing.signed_time import is_timely, timed_signature
from stream.events import Mode, OrderId, ShippingStatus, Verification

SIGNATURE = "shippo-auth-signature"
TOLERANCE_S = 3600
"""Maximum distance of a signed time from ours, past or future, in seconds."""
STATUSES: dict[str, ShippingStatus] = {
    "PRE_TRANSIT": "preparing",
    "TRANSIT": "in_transit",
    "TRANSIT out_for_delivery": "out_for_delivery",
    "TRANSIT pickup_available": "out_for_delivery",
    "TRANSIT return_to_sender": "failed",
    "DELIVERED": "delivered",
    "RETURNED": "failed",
    "FAILURE": "failed",
}
_SIGNED = re.compile(r"\s*t=(\d{1,12})\s*,\s*v1=([0-9a-f]{64})\s*", re.IGNORECASE | re.ASCII)
_ORDER = re.compile(
    r"\s*order[ _-]?id\s*[:=]\s*(\S+)\s*|\s*order(?:\s+#?|\s*#)(?=\S*\d)([\w#][\w.:#=+@~/|-]*)\s*", re.IGNORECASE
)


class TrackUpdated(msgspec.Struct):
    event: Word
    test: StrictOptional[bool] = None
    data: msgspec.Raw = ABSENT


class StatusLocation(msgspec.Struct):
    city: Text | None = None
    state: Text | None = None
    country: Text | None = None


class Substatus(msgspec.Struct):
    code: Word | None = None


class TrackingStatus(msgspec.Struct):
    status: Word
    substatus: Substatus | None = None
    status_date: Instant = ABSENT
    object_id: Word | None = None
    location: StatusLocation | None = None


class ShippoTrack(msgspec.Struct):
    tracking_number: Id
    tracking_status: TrackingStatus | None
    carrier: Text | None = None
    metadata: Text | None = None


_event = msgspec.json.Decoder(TrackUpdated)
_track = msgspec.json.Decoder(ShippoTrack)


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:
    """Return `signature` if the header holds the signature of its time and the raw body with one of the secrets.

    Without the header, return `shared_secret` if the URL's token is one of the secrets. Raises Forged if no secret
    fits, Stale if the signed time is more than TOLERANCE_S away.
    """
    header = received.headers.get(SIGNATURE)
    if header is None:
        return url_token.verify(received, secrets)
    signed = _SIGNED.fullmatch(header)
    if signed is None:
        raise Forged("Shippo-Auth-Signature is not written as t=<seconds>,v1=<hex>")
    given = signed[2].lower().encode()
    if not any_equal((timed_signature(received.body, secret, signed[1]) for secret in secrets), [given]):
        raise Forged("Shippo-Auth-Signature is not the HMAC-SHA256 of this time and body")
    if not is_timely(received.received_at, signed[1], TOLERANCE_S):
        raise Stale(f"Shippo-Auth-Signature was made more than {TOLERANCE_S} seconds from now")
    return "signature"


def translate(received: Received, _kind: str) -> Translation:
    """Translate a `track_updated`.

    Raises Unsupported for other events and for a parcel without a known status, Malformed or InvalidField for a body
    that cannot be read.
    """
    event = json_body.read(_event, received.body)
    if event.event != "track_updated":
        raise Unsupported(f"{event.event} is not about a parcel")
    track = json_body.read(_track, parcels.detail(event.data, "data"))
    current = track.tracking_status
    if current is None:
        raise Unsupported("the parcel has no status yet")
    location = current.location or StatusLocation()
    scanned_at = instant(current.status_date, "status_date")
    payload = parcels.payload(
        carrier=track.carrier,
        number=track.tracking_number,
        status=_status(current),
        order_id=order_in(track.metadata),
        location=parcels.location(location.city, location.state, location.country),
        scanned_at=scanned_at,
    )
    mode: Mode | None = None if event.test is None else "test" if event.test else "live"
    return Translation(payload, event.event, scanned_at, _event_id(track, current), mode)


def order_in(metadata: str | None) -> OrderId | None:
    """Return the order id in the shop's metadata if they hold nothing else (`order_id=7`, `Order 7`), else None."""
    named = _ORDER.fullmatch(metadata or "")
    return parcels.order_id(named[1] or named[2]) if named else None


def _status(current: TrackingStatus) -> ShippingStatus:
    finer = f"{current.status} {current.substatus.code}" if current.substatus else current.status
    return parcels.status(STATUSES, finer if finer in STATUSES else current.status)


def _event_id(track: ShippoTrack, current: TrackingStatus) -> str | None:
    """Return an id made of parcel, status id, date and order, which may be added later; None without status id or date.

    Shippo has no event ids.
    """
    if not (current.object_id and is_present(current.status_date)):
        return None
    parcel = f"{carriers.normalise(track.carrier)}:{track.tracking_number}"
    return "\n".join((parcel, current.object_id, raw_text(current.status_date), order_in(track.metadata) or ""))


PROVIDER = Provider(
    name="shippo",
    paths={"/api/webhooks/shippo": "shipping"},
    secret_setting="SHIPPO_WEBHOOK_SECRET",
    verify=verify,
    translate=translate,
    stored_headers=frozenset({SIGNATURE}),
    takes_token=True,
    deadline_s=2.7,
    authentication=(
        "`Shippo-Auth-Signature`: hex HMAC-SHA256 of time and raw body, within an hour; without it the token in the URL"
    ),
    events="`track_updated`; others are quarantined",
)
