"""Format amounts, times, reasons and payment methods in Korean and English."""

from datetime import timedelta, timezone
from decimal import Decimal

from babel.numbers import format_currency

from providers.parsing.money import exponent
from runtime.clock import EPOCH

KOREA = timezone(timedelta(hours=9), "KST")
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def money(amount: int | None, currency: str | None, language: str) -> str | None:
    """Format minor units as a price; None if the amount or the currency is None.

    KRW 58000 is 58,000원 in Korean and ₩58,000 in English; USD 1250 is US$12.50 and $12.50.
    """
    if amount is None or currency is None:
        return None
    if (currency, language) == ("KRW", "ko"):
        return f"{amount:,}원"
    value = Decimal(amount).scaleb(-exponent(currency))
    locale = "ko_KR" if language == "ko" else "en_US"
    return format_currency(value, currency, locale=locale)


def time(at: int, language: str) -> str:
    """Format microseconds since 1970 UTC in Korean time: 2023년 11월 15일 19:30, or Nov 15, 2023, 19:30 KST."""
    local = (EPOCH + timedelta(microseconds=at)).astimezone(KOREA)
    if language == "ko":
        return f"{local.year}년 {local.month}월 {local.day}일 {local:%H:%M}"
    return f"{MONTHS[local.month - 1]} {local.day}, {local.year}, {local:%H:%M} KST"


def day(at: int, language: str) -> str:
    """Format microseconds since 1970 UTC as a date in Korean time: 2023년 11월 15일, or Nov 15, 2023."""
    local = (EPOCH + timedelta(microseconds=at)).astimezone(KOREA)
    if language == "ko":
        return f"{local.year}년 {local.month}월 {local.day}일"
    return f"{MONTHS[local.month - 1]} {local.day}, {local.year}"


def crypto(amount: str, asset: str | None, language: str) -> str:
    """Format a decimal text, unchanged, with its asset: 74.074074 USDT.

    A numeric asset id is shown as 74.074074 (asset 1001).
    """
    if not asset:
        return amount
    if asset.isdecimal():
        return f"{amount} ({'자산' if language == 'ko' else 'asset'} {asset})"
    return f"{amount} {asset}"


def reason(code: str | None, language: str) -> str | None:
    """Return the text for one of our reason codes; other texts unchanged; None for None and for `unknown`."""
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


def one_line(text: str | None) -> str | None:
    """Return `text` on one line without unprintable characters; None if nothing is left."""
    if not text:
        return None
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(text.split()) or None


def method(text: str | None, language: str) -> str | None:
    """Return a payment method in the given language; a method that is not in METHODS stays as the provider wrote it."""
    if not text:
        return None
    code = _METHOD_OF.get(_normalized(text).removeprefix("paymentmethod"))
    return METHODS[code][language] if code else one_line(text)


METHODS: dict[str, dict[str, str]] = {
    "card": {"ko": "카드", "en": "card"},
    "virtual_account": {"ko": "가상계좌", "en": "virtual account"},
    "transfer": {"ko": "계좌이체", "en": "bank transfer"},
    "easy_pay": {"ko": "간편결제", "en": "easy pay"},
    "mobile": {"ko": "휴대폰 결제", "en": "mobile phone bill"},
    "gift_certificate": {"ko": "상품권", "en": "gift certificate"},
    "culture_voucher": {"ko": "문화상품권", "en": "culture gift certificate"},
    "book_voucher": {"ko": "도서문화상품권", "en": "book gift certificate"},
    "game_voucher": {"ko": "게임문화상품권", "en": "game gift certificate"},
    "points": {"ko": "포인트", "en": "points"},
    "convenience_store": {"ko": "편의점 결제", "en": "convenience store"},
    "cash": {"ko": "현금", "en": "cash"},
    "crypto": {"ko": "가상자산", "en": "cryptocurrency"},
    "kakao_pay": {"ko": "카카오페이", "en": "KakaoPay"},
    "naver_pay": {"ko": "네이버페이", "en": "Naver Pay"},
    "toss_pay": {"ko": "토스페이", "en": "Toss Pay"},
    "samsung_pay": {"ko": "삼성페이", "en": "Samsung Pay"},
    "payco": {"ko": "페이코", "en": "PAYCO"},
    "ssg_pay": {"ko": "SSG페이", "en": "SSG Pay"},
    "l_pay": {"ko": "엘페이", "en": "L.Pay"},
    "k_pay": {"ko": "케이페이", "en": "KPay"},
    "apple_pay": {"ko": "애플페이", "en": "Apple Pay"},
    "google_pay": {"ko": "구글페이", "en": "Google Pay"},
    "paypal": {"ko": "페이팔", "en": "PayPal"},
    "alipay": {"ko": "알리페이", "en": "Alipay"},
    "wechat_pay": {"ko": "위챗페이", "en": "WeChat Pay"},
    "unionpay": {"ko": "유니온페이", "en": "UnionPay"},
    "link": {"ko": "Link", "en": "Link"},
}
"""The Korean and English names of payment methods, by our code."""

_SPELLINGS = {
    "card": "신용카드 체크카드 신용체크카드 creditcard credit debit debitcard vcard isp onlycard krcard cardpresent",
    "virtual_account": "vbank vbanktransfer virtual 무통장입금 무통장",
    "transfer": "이체 실시간계좌이체 trans bank banktransfer directbank rtbank dbank 은행 usbankaccount achdebit "
    "achcredittransfer acsdebit sepadebit bacsdebit becsdebit customerbalance",
    "easy_pay": "간편 foreigneasypay 해외간편결제 epay",
    "mobile": "휴대폰 휴대전화 핸드폰 phone mobilephone hpp cellphone mobilecarrier",
    "gift_certificate": "giftcard voucher",
    "culture_voucher": "culturegiftcertificate culture cultureland smartculture culturelandvoucher",
    "book_voucher": "bookculturegiftcertificate booknlife bookgiftcertificate 도서상품권",
    "game_voucher": "gameculturegiftcertificate gamegiftcertificate 게임상품권",
    "points": "point 포인트결제 mileage 마일리지 happymoney",
    "convenience_store": "cvs 편의점 konbini",
    "cash": "현금결제 cashondelivery",
    "crypto": "cryptocurrency 암호화폐 코인",
    "kakao_pay": "kakao kakaopaymoney kakaomoney 카카오",
    "naver_pay": "naver naverpoint npay 네이버",
    "toss_pay": "toss tosscard tossmoney 토스",
    "samsung_pay": "samsung",
    "apple_pay": "applepaycard",
    "wechat_pay": "wechat",
    "unionpay": "chinaunionpay cup",
}


def _normalized(text: str) -> str:
    return "".join(filter(str.isalnum, text)).lower()


_METHOD_OF = {
    **{_normalized(name): code for code, names in METHODS.items() for name in (code, *names.values())},
    **{spelling: code for code, spellings in _SPELLINGS.items() for spelling in spellings.split()},
}
