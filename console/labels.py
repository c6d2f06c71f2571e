"""Korean and English labels for types, statuses and providers."""

Label = dict[str, str]
"""The texts `ko` and `en`."""


def _label(ko: str, en: str) -> Label:
    return {"ko": ko, "en": en}


TYPES: dict[str, Label] = {
    "PAYMENT_COMPLETED": _label("결제 완료", "Payment completed"),
    "PAYMENT_FAILED": _label("결제 실패", "Payment failed"),
    "PAYMENT_CANCELLED": _label("결제 취소", "Payment cancelled"),
    "REFUND_COMPLETED": _label("환불 완료", "Refund completed"),
    "REFUND_FAILED": _label("환불 실패", "Refund failed"),
    "payment.pending": _label("결제 대기", "Payment pending"),
    "refund.pending": _label("환불 접수", "Refund pending"),
    "refund.processing": _label("환불 처리 중", "Refund in progress"),
    "UNKNOWN": _label("알 수 없음", "Unknown"),
}
STATUSES: dict[str, Label] = {
    "RECEIVED": _label("수신", "Received"),
    "PROCESSED": _label("처리 완료", "Processed"),
    "FAILED": _label("처리 실패", "Failed"),
    "RETRYING": _label("재시도 중", "Retrying"),
    "ABANDONED": _label("재시도 포기", "Abandoned"),
}
PROVIDERS: dict[str, Label] = {
    "ALL": _label("전체", "All"),
    "TOSS": _label("토스페이먼츠", "Toss Payments"),
    "KAKAO": _label("카카오페이", "KakaoPay"),
    "NAVER": _label("네이버페이", "Naver Pay"),
    "IAMPORT": _label("포트원 V1 (아임포트)", "PortOne V1 (Iamport)"),
    "INICIS": _label("KG이니시스", "KG Inicis"),
    "UNKNOWN": _label("알 수 없음", "Unknown"),
    "GENERIC": _label("공통 웹훅", "Generic webhook"),
    "SHOP": _label("쇼핑몰", "Shop"),
    "TOSSPAYMENTS": _label("토스페이먼츠 구독", "Toss Payments subscriptions"),
    "STRIPE": _label("스트라이프", "Stripe"),
    "PORTONE_V2": _label("포트원 V2", "PortOne V2"),
    "TAPAYZ": _label("타페이즈 (가상자산)", "Tapayz (crypto)"),
    "EASYPOST": _label("이지포스트", "EasyPost"),
    "AFTERSHIP": _label("애프터십", "AfterShip"),
    "SHIPPO": _label("시포", "Shippo"),
    "DELIVERY_TRACKER": _label("딜리버리 트래커", "Delivery Tracker"),
    "SWEETTRACKER": _label("스마트택배", "SweetTracker"),
}
"""The labels by the API's name of a provider: contract E's if there is one, else the canonical name in capitals."""

CONTRACT_E_NAMES = {"kakaopay": "KAKAO", "naverpay": "NAVER", "portone_v1": "IAMPORT"}
"""Contract E's names by canonical name, where they differ by more than capitals."""
_CANONICAL = {label: name for name, label in CONTRACT_E_NAMES.items()}
LABELS = {"types": TYPES, "statuses": STATUSES, "providers": PROVIDERS}


def provider_word(name: str | None) -> str:
    """Return the API's name of the provider with this canonical name; UNKNOWN for None and an empty name."""
    return CONTRACT_E_NAMES.get(name, name.upper()) if name else "UNKNOWN"


def canonical(label: str) -> str | None:
    """Return a provider's canonical name for its canonical or API name, in any case; None if PROVIDERS lacks it."""
    capitals = label.upper()
    name = CONTRACT_E_NAMES.get(label.lower(), capitals)
    return _CANONICAL.get(name, name.lower()) if name in PROVIDERS else None
