"""Combines verifications that need the same API request, so that it is sent once. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from confirmer.api_response import Unbuildable
from confirmer.claims import ClaimedVerification
from confirmer.verdict import ERROR_CHARS
from providers.contract import ApiRequest, ApiVerification
from stream.events import UnconfirmedWebhook

OpenVerification = tuple[ClaimedVerification, UnconfirmedWebhook]
"""A claimed verification and the webhook to verify."""


@dataclass(frozen=True, slots=True)
class SharedRequest:
    """One API request, and the verifications that its response decides."""

    request: ApiRequest | Unbuildable
    verifications: list[OpenVerification] = field(default_factory=list)


def batch_requests(
    verifications: Iterable[OpenVerification], api_verification: ApiVerification, key: str
) -> list[SharedRequest]:
    """Build the requests for these verifications; verifications with equal requests share one.

    A verification whose request cannot be built is alone, with an Unbuildable.
    """
    requests: dict[object, SharedRequest] = {}
    for verification in verifications:
        request = _build(verification, api_verification, key)
        if isinstance(request, ApiRequest):
            identity: object = (request.method, request.path, request.body)
        else:
            identity = verification[0].request_id
        requests.setdefault(identity, SharedRequest(request)).verifications.append(verification)
    return list(requests.values())


def _build(verification: OpenVerification, api_verification: ApiVerification, key: str) -> ApiRequest | Unbuildable:
    try:
        return api_verification.build_request(verification[1].payload, key)
    except Exception as failure:  # noqa: BLE001 - an unsigned webhook may hold anything, and must not stop the others
        return Unbuildable(f"no request can be built for the webhook ({type(failure).__name__})"[:ERROR_CHARS])
