"""Payment methods in Korean and English, by the many spellings of the providers."""


def method(text: str | None, language: str) -> str | None:
    """Return a payment method in `language` (`ko` or `en`); None for None and an empty text.

    A method of no known spelling stays as the provider wrote it.
    """
    if not text:
        return None
    code = _METHOD_OF.get(_normalized(text).removeprefix("paymentmethod"))
    return METHODS[code][language] if code else text


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
