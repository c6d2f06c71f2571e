"""Delivery Tracker's GraphQL API: the request for a parcel's last event, and the translation of its response.

It also has names and telephone numbers, which are not requested. It reports errors, a refused key among them, in the
body of a 200 (tracker.delivery/docs/error-handling).
Choices in table 7.7: collected from the sender is still *preparing*; waiting at a pickup point is out for delivery.
"""

import msgspec

from providers import api_support
from providers.contract import ApiRequest, InvalidField, NotKnownYet, Received, Translation, Unsupported
from providers.delivery_tracker.objects import GraphqlError, TrackResponse
from providers.parsing import parcels
from providers.parsing.timestamps import instant, raw_text
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
TRACK = (
    "query Track($carrierId: ID!, $trackingNumber: String!) {"
    " track(carrierId: $carrierId, trackingNumber: $trackingNumber) {"
    " lastEvent { time status { code name } location { name countryCode } } } }"
)
_track = msgspec.json.Decoder(TrackResponse)


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
        location=parcels.location(last.location.name) if last.location else None,
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
