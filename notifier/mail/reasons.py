"""The reason codes of our domain events in Korean and English."""


def reason(code: str | None, language: str) -> str | None:
    """Return the text for one of our reason codes in `language` (`ko` or `en`); None for no code and for `unknown`.

    Any other text is returned without full stops at its end.
    """
    return REASONS[language].get(code, code.rstrip(". ")) if code else None


REASONS: dict[str, dict[str, str | None]] = {
    "ko": {
        "amount_mismatch": "금액 불일치",
        "overpaid": "중복 결제",
        "refund_failed": "환불 실패",
        "exceeds_payment": "결제금액보다 큼",
        "other_currency": "결제한 통화와 다름",
        "other_provider": "이 주문의 결제를 받은 적이 없는 결제사",
        "other_transaction": "이 주문의 거래가 아님",
        "expired": "결제 기한 만료",
        "transaction_failed": "거래 실패",
        "bank_cannot_process": "은행 처리 불가",
        "check_returned": "수표 반환",
        "credit_not_processed": "환불 미처리",
        "customer_initiated": "고객 요청",
        "debit_not_authorized": "승인되지 않은 출금",
        "duplicate": "중복 결제",
        "fraudulent": "부정 사용",
        "general": "기타",
        "incorrect_account_details": "잘못된 계좌 정보",
        "insufficient_funds": "잔액 부족",
        "noncompliant": "규정 위반",
        "product_not_received": "상품 미수령",
        "product_unacceptable": "상품 불만족",
        "subscription_canceled": "구독 취소",
        "unrecognized": "알 수 없는 결제",
        "unknown": None,
    },
    "en": {
        "amount_mismatch": "the amounts differ",
        "overpaid": "paid more than once",
        "refund_failed": "the refund failed",
        "exceeds_payment": "it is more than was paid",
        "other_currency": "it is in another currency than the payment",
        "other_provider": "its provider never took this order's money",
        "other_transaction": "it is of a transaction that is not this order's",
        "expired": "it has expired",
        "transaction_failed": "the transaction failed",
        "bank_cannot_process": "the bank cannot process it",
        "check_returned": "the check was returned",
        "credit_not_processed": "a refund was not processed",
        "customer_initiated": "the customer asked for it",
        "debit_not_authorized": "the debit was not authorized",
        "duplicate": "charged more than once",
        "fraudulent": "the payment is said to be fraudulent",
        "general": "no particular reason",
        "incorrect_account_details": "the account details are wrong",
        "insufficient_funds": "insufficient funds",
        "noncompliant": "against the network's rules",
        "product_not_received": "the product was not received",
        "product_unacceptable": "the product was not as described",
        "subscription_canceled": "the subscription was cancelled",
        "unrecognized": "the customer does not recognize the payment",
        "unknown": None,
    },
}
"""The text for each reason code of our domain events. `unknown` has none, so mails leave it out."""
