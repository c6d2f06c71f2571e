"""Delivery Tracker (tracker.delivery): says that a parcel has moved, and not where; its API is asked.

A token in the URL is all that proves it, and who has none finds nothing there. It wants its 202 within a second. What
the parcel's last event is, its GraphQL API tells; people's names and numbers, which that has too, are not asked for.
Table 7.7's choices: collected from the sender is still *preparing*; waiting at a pickup point is out for delivery.
"""

from typing import Annotated

import msgspec

from providers.contract import (
    ApiRequest,
    ApiVerification,
    InvalidField,
    NotKnownYet,
    Provider,
    Received,
    Translation,
    Unsupported,
    WebhookResponse,
    json_response,
)
from providers.parsing import json_body, parcels
from providers.parsing.fields import ABSENT, Id, Instant, StrictOptional, Text
from providers.parsing.parcels import Word
from providers.parsing.timestamps import instant, raw_text
from providers.signing import url_token
from stream.events import Question, ShippingStatus

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
_told = msgspec.json.Decoder(TrackResponse)


def translate(received: Received, kind: str) -> Translation:  # noqa: ARG001 - its path has one kind
    """Read a proven callback: a question, for it says nothing of the parcel's state."""
    told = json_body.read(_callback, received.body)
    question = Question(subject=SUBJECT, reference=f"{told.carrierId}:{told.trackingNumber}")
    return Translation(question, "parcel.moved", None)


def build_request(question: Question, api_key: str) -> ApiRequest:
    """The request for a parcel's last event; the key is `id:secret`."""
    carrier, _, number = question.reference.partition(":")
    asked = {"query": TRACK, "variables": {"carrierId": carrier, "trackingNumber": number}}
    headers = {"Authorization": f"TRACKQL-API-KEY {api_key}", "Content-Type": "application/json"}
    return ApiRequest("POST", "/graphql", headers, msgspec.json.encode(asked))


def read_response(question: Question, received: Received, answer: bytes) -> Translation:  # noqa: ARG001 - it says too little
    """What the parcel's last event says.

    Raises NotKnownYet while the carrier knows nothing of it or the API is in trouble, Unreadable for what is no answer.
    """
    told = json_body.read(_told, answer)
    _check(told.errors or [])
    last = told.data and told.data.track and told.data.track.lastEvent
    if not last or last.status.code == "UNKNOWN":
        raise NotKnownYet("nothing is known of the parcel yet")
    if last.status.code not in STATUSES:
        raise Unsupported(f"{last.status.code} is no status of a parcel that is known")
    carrier, _, number = question.reference.partition(":")
    at = instant(last.time, "time")
    notice = parcels.notice(
        carrier=carrier,
        number=number,
        status=STATUSES[last.status.code],
        location=parcels.place(last.location.name) if last.location else None,
        scanned_at=at,
    )
    event_id = f"{carrier}:{number}:{(raw_text(last.time) or None) if at is None else at}:{last.status.code}"
    return Translation(notice, f"parcel.{last.status.code.lower()}", at, event_id)


def _check(errors: list[GraphqlError]) -> None:
    codes = {problem.extensions.code for problem in errors if problem.extensions}
    if "BAD_REQUEST" in codes:
        raise InvalidField("the API does not understand the question")
    if errors:
        raise NotKnownYet("the API has no answer: " + (", ".join(sorted(code or "?" for code in codes)) or "an error"))


def _accept(event_id: str, event_type: str) -> WebhookResponse:  # noqa: ARG001
    return ACCEPTED


PROVIDER = Provider(
    name="delivery_tracker",
    paths={"/api/webhooks/delivery_tracker": "shipping"},
    secret_setting="DELIVERY_TRACKER_WEBHOOK_SECRET",  # noqa: S106 - the name of the setting
    verify=url_token.verify,
    translate=translate,
    sign=url_token.sign,
    kept_headers=frozenset(),
    answer=_accept,
    refusals=url_token.NOT_FOUND,
    takes_token=True,
    api_verification=ApiVerification("https://apis.tracker.delivery", build_request, read_response),
    deadline_s=0.9,
    proof="the token in the URL",
    events="a parcel has changed: which, and nothing else",
)
