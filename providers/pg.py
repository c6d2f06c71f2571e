"""Contract E: payment gateways named by `X-PG-Provider`, each signing `X-PG-Signature` with its own secret."""

import hmac
from collections.abc import Sequence

from providers.contract import Answer, Forged, Provider, Received, Translation, Unsupported, json_answer
from stream.events import Verification

PROVIDER = "x-pg-provider"
SIGNATURE = "x-pg-signature"
SHARED_PATHS = {"/webhooks/payment": "payment", "/webhooks/refund": "refund"}
"""Contract A's paths, where the header tells E from A."""


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:
    """Prove the raw body by any live secret of this provider."""
    given = received.headers.get(SIGNATURE, "").lower().encode("latin-1")
    matches = [
        hmac.compare_digest(hmac.digest(secret, received.body, "sha256").hex().encode(), given) for secret in secrets
    ]
    if not any(matches):
        raise Forged("X-PG-Signature is not the HMAC-SHA256 of this body")
    return "signature"


def sign(payload: bytes, secret: bytes, at: int = 0) -> dict[str, str]:  # noqa: ARG001 - the scheme has no time
    """The headers a sender adds to this body."""
    return {"X-PG-Signature": hmac.digest(secret, payload, "sha256").hex()}


def translate(received: Received, kind: str) -> Translation:
    """Read a verified webhook of contract E."""
    raise Unsupported(f"{received.path} is not read yet as {kind}")


def named(header: str) -> Provider:
    """The row of the provider an `X-PG-Provider` header names; UNKNOWN for one nobody configured."""
    return _BY_HEADER.get(header.strip().upper(), UNKNOWN)


def _refusals(header: str) -> dict[str, Answer]:
    """E's own words; `{"error", "message"}` with the closed list's causes."""
    return {
        "invalid_signature": json_answer(401, {"error": "invalid_signature", "message": "웹훅 서명 검증 실패"}),
        "unsupported_type": json_answer(400, {"error": "unsupported_type", "message": "지원하지 않는 웹훅 타입입니다"}),
        "provider_not_configured": json_answer(
            400, {"error": "provider_not_configured", "message": f"API 설정을 찾을 수 없습니다: {header}"}
        ),
    }


def _received(event_id: str, event_type: str) -> Answer:  # noqa: ARG001
    return json_answer(200, {"status": "RECEIVED", "webhookId": event_id})


def _row(header: str, name: str, *paths: str) -> Provider:
    return Provider(
        name=name,
        paths=dict.fromkeys(paths, "any"),
        secret_setting=f"{name.upper()}_WEBHOOK_SECRET",
        verify=verify,
        translate=translate,
        sign=sign,
        kept_headers=frozenset({PROVIDER, SIGNATURE}),
        answer=_received,
        refusals=_refusals(header),
    )


_BY_HEADER = {
    "TOSS": _row("TOSS", "toss", "/api/webhooks/toss"),
    "KAKAO": _row("KAKAO", "kakaopay", "/api/webhooks/kakao", "/api/webhooks/kakaopay"),
    "NAVER": _row("NAVER", "naverpay", "/api/webhooks/naver", "/api/webhooks/naverpay"),
    "IAMPORT": _row("IAMPORT", "portone_v1", "/api/webhooks/iamport", "/api/webhooks/portone_v1"),
    "INICIS": _row("INICIS", "inicis", "/api/webhooks/inicis"),
}
PROVIDERS = tuple(_BY_HEADER.values())
UNKNOWN = _row("UNKNOWN", "unknown")
"""Has no secret, ever."""
