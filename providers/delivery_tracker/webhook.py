"""Delivery Tracker (tracker.delivery): reports that a parcel has moved, but not where; each causes an API request.

Only a token in the URL authenticates a webhook; without the token the response is 404. Delivery Tracker expects a 202
within a second.
"""

import msgspec

from providers.contract import ApiVerification, Provider, Received, Translation
from providers.delivery_tracker import api
from providers.delivery_tracker.objects import ParcelCallback
from providers.parsing import json_body
from providers.responses import always, json_response
from providers.signing import url_token
from stream.events import VerificationRequest

SUBJECT = "parcel"
ACCEPTED = json_response(202, {"status": "accepted"})
_callback = msgspec.json.Decoder(ParcelCallback)


def translate(received: Received, _kind: str) -> Translation:
    """Return the verification request for a callback, which states no status of the parcel.

    Raises Malformed or InvalidField for a body that cannot be read.
    """
    callback = json_body.read(_callback, received.body)
    request = VerificationRequest(subject=SUBJECT, alias=f"{callback.carrierId}:{callback.trackingNumber}")
    return Translation(request, "parcel.moved", None)


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
        "https://apis.tracker.delivery", api.build_request, api.read_response, refuses_key=api.refuses_key
    ),
    deadline_s=0.9,
    authentication="the token in the URL",
    events="a parcel has changed, without its new state",
)
