"""The fields of Delivery Tracker's callbacks, and those of its API's responses that are requested."""

from typing import Annotated

import msgspec

from providers.parsing.fields import ABSENT, Id, Instant, StrictOptional, Text
from providers.parsing.parcels import Word

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
