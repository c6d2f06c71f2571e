"""Contract E: payment gateways that `X-PG-Provider` names, each signing `X-PG-Signature` with its own secret.

KakaoPay and NaverPay document no webhooks of their own, so they always use contract E. NaverPay's TalkTalk chatbot
events ask whether to charge; they have no status of contract E and are refused as unsupported, which stops the charge.
"""

from collections.abc import Sequence

from providers.contract import Provider, Received
from providers.contract_e.translation import translate
from providers.responses import WebhookResponse, json_response
from providers.signing.hmac_hex import verify_raw
from stream.events import Verification

PROVIDER_HEADER = "x-pg-provider"
SIGNATURE = "x-pg-signature"
SHARED_PATHS = {"/webhooks/payment": "payment", "/webhooks/refund": "refund"}
"""Contract A's paths, where `X-PG-Provider` selects contract E."""


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:
    """Return `signature` if the header holds the raw body's signature with one of the secrets; else raise Forged."""
    return verify_raw(received, "X-PG-Signature", secrets)


def provider_by_header(header: str) -> Provider:
    """Return contract E's row for an `X-PG-Provider` header in upper or lower case; UNKNOWN if it is not listed."""
    return _BY_HEADER.get(header.strip().upper(), UNKNOWN)


def _refusals(header: str) -> dict[str, WebhookResponse]:
    """Return contract E's own messages, by cause."""
    return {
        "invalid_signature": json_response(401, {"error": "invalid_signature", "message": "웹훅 서명 검증 실패"}),
        "unsupported_type": json_response(
            400, {"error": "unsupported_type", "message": "지원하지 않는 웹훅 타입입니다"}
        ),
        "provider_not_configured": json_response(
            400, {"error": "provider_not_configured", "message": f"API 설정을 찾을 수 없습니다: {header}"}
        ),
    }


def _received(event_id: str, _event_type: str) -> WebhookResponse:
    return json_response(200, {"status": "RECEIVED", "webhookId": event_id})


def _row(header: str, name: str, *paths: str) -> Provider:
    return Provider(
        name=name,
        paths=dict.fromkeys(paths, "any"),
        secret_setting=f"{name.upper()}_WEBHOOK_SECRET",
        verify=verify,
        translate=translate,
        stored_headers=frozenset({PROVIDER_HEADER, SIGNATURE}),
        success_response=_received,
        refusals=_refusals(header),
        authentication=(
            "contract E: `X-PG-Signature`, hex HMAC-SHA256 of the raw body; `X-PG-Provider` names it on contract "
            "A's paths"
        ),
        events="payments and refunds completed, failed, cancelled, by `status`",
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
"""The row for a provider that is not listed. It never has a secret, so its webhooks are refused."""
