"""Delivery Tracker (tracker.delivery): reports that a parcel has moved, but not where; each causes an API request.

Only a token in the URL authenticates a webhook; without the token the response is 404. Delivery Tracker expects a 202
within a second. Its GraphQL API has the parcel's last event, and names and telephone numbers, which are not requested.
The API reports errors, a refused key among them, in the body of a 200 (tracker.delivery/docs/error-handling).
Choices in table 7.7: collected from the sender is still *preparing*; waiting at a pickup point is out for delivery.
"""

from typing import Annotated

import msgspec

from providers import api_support
from providers.contract import (
    ApiRequest,
    ApiVerification,
    InvalidField,
    NotKnownYet,
    Provider,
    Received,
    Translation,
    Unsupported,
)
from providers.parsing import json_body, parcels
from providers.parsing.fields import ABSENT, Id, Instant, StrictOptional, Text
from providers.parsing.parcels import Word
from providers.parsing.timestamps import instant, raw_text
from providers.responses import always, json_response
from providers.signing import url_token
from stream.events import ShippingStatus, VerificationRequest

STATUSES: dict[str, ShippingStatus] = {
    "INFORMATION_RECEIVED": "preparing",
    "AT_PICKUP": "preparing",
    "IN_TRANSIT": "in_transit",
    "OUT_FOR_DELIVERY": "out_for_delivery",
    "AVAILABLE_FOR_PICKUP": "out_for_delivery",
    "DELIVERED": "delivered",
    "ATTEMPT_FAIL": "failed",
    "EXCEPTION": "failed",
}
KEY_REFUSED = frozenset({"UNAUTHENTICATED", "FORBIDDEN"})
"""The codes of errors by which the API refuses the key: it is wrong or has expired, or does not suffice."""
SUBJECT = "parcel"
TRACK = (
    "query Track($carrierId: ID!, $trackingNumber: String!) {"
    " track(carrierId: $carrierId, trackingNumber: $trackingNumber) {"
    " lastEvent { time status { code name } location { name countryCode } } } }"
)
ACCEPTED = json_response(202, {"status": "accepted"})

CarrierId = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")]


class ParcelCallback(msgspec.Struct):
    carrierId: CarrierId
    trackingNumber: Id


class EventStatus(msgspec.Struct):
    code: Word


class EventLocation(msgspec.Struct):
    name: Text | None = None


class LastEvent(msgspec.Struct):
    status: EventStatus
    time: Instant = ABSENT
    location: EventLocation | None = None


class TrackedParcel(msgspec.Struct):
    lastEvent: StrictOptional[LastEvent] = None


class TrackData(msgspec.Struct):
    track: StrictOptional[TrackedParcel] = None


class ErrorExtensions(msgspec.Struct):
    code: Word | None = None


class GraphqlError(msgspec.Struct):
    extensions: ErrorExtensions | None = None


class TrackResponse(msgspec.Struct):
    data: StrictOptional[TrackData] = None
    errors: StrictOptional[list[GraphqlError]] = None


_callback = msgspec.json.Decoder(ParcelCallback)
_track = msgspec.json.Decoder(TrackResponse)


def translate(received: Received, _kind: str) -> Translation:
    """Return the verification request for a callback, which states no status of the parcel.

    Raises Malformed or InvalidField for a body that cannot be read.
    """
    callback = json_body.read(_callback, received.body)
    request = VerificationRequest(subject=SUBJECT, alias=f"{callback.carrierId}:{callback.trackingNumber}")
    return Translation(request, "parcel.moved", None)


def build_request(request: VerificationRequest, api_key: str) -> ApiRequest:
    """Return the GraphQL request for a parcel's last event. `api_key` is `id:secret`."""
    carrier, _, number = request.alias.partition(":")
    query = {"query": TRACK, "variables": {"carrierId": carrier, "trackingNumber": number}}
    headers = {"Authorization": f"TRACKQL-API-KEY {api_key}", "Content-Type": "application/json"}
    return ApiRequest("POST", "/graphql", headers, msgspec.json.encode(query))


def read_response(request: VerificationRequest, _received: Received, response: bytes) -> Translation:
    """Translate the parcel's last event.

    Raises NotKnownYet while the carrier has no event or only one of status UNKNOWN, or the API reports an error;
    InvalidField if the API calls the request bad or the response cannot be read; Unsupported for a status that
    STATUSES does not list.
    """
    track = api_support.decode(_track, response)
    _check(track.errors or [])
    last = track.data and track.data.track and track.data.track.lastEvent
    if not last or last.status.code == "UNKNOWN":
        raise NotKnownYet("the carrier has no event of the parcel yet")
    if last.status.code not in STATUSES:
        raise Unsupported(f"the status {last.status.code} of the parcel is not known")
    carrier, _, number = request.alias.partition(":")
    at = instant(last.time, "time")
    payload = parcels.payload(
        carrier=carrier,
        number=number,
        status=STATUSES[last.status.code],
        location=parcels.place(last.location.name) if last.location else None,
        scanned_at=at,
    )
    event_id = f"{carrier}:{number}:{(raw_text(last.time) or None) if at is None else at}:{last.status.code}"
    return Translation(payload, f"parcel.{last.status.code.lower()}", at, event_id)


def refuses_key(response: bytes) -> bool:
    """Return whether the API refuses the key in this body of a 200 response; False for a body that cannot be read."""
    try:
        return not KEY_REFUSED.isdisjoint(_codes(api_support.decode(_track, response).errors or []))
    except InvalidField:
        return False


def _codes(errors: list[GraphqlError]) -> set[str | None]:
    return {problem.extensions.code for problem in errors if problem.extensions}


def _check(errors: list[GraphqlError]) -> None:
    codes = _codes(errors)
    if "BAD_REQUEST" in codes:
        raise InvalidField("the API rejected the request as bad")
    if errors:
        raise NotKnownYet(
            "the API reported an error: " + (", ".join(sorted(code or "?" for code in codes)) or "no code")
        )


PROVIDER = Provider(
    name="delivery_tracker",
    paths={"/api/webhooks/delivery_tracker": "shipping"},
    secret_setting="DELIVERY_TRACKER_WEBHOOK_SECRET",
    verify=url_token.verify,
    translate=translate,
    stored_headers=frozenset(),
    success_response=always(ACCEPTED),
    refusals=url_token.NOT_FOUND,
    takes_token=True,
    api_verification=ApiVerification(
        "https://apis.tracker.delivery", build_request, read_response, refuses_key=refuses_key
    ),
    deadline_s=0.9,
    authentication="the token in the URL",
    events="a parcel has changed, without its new state",
)
