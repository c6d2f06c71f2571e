"""Normalises carrier names to one spelling per carrier: the first half of a parcel's key.

The spellings are those of the five aggregators and of Korean shops, as read in November 2026:

- EasyPost: the enum `Carrier` of its Java client library (`DHLExpress`, `KuronekoYamato`, `JPPost`).
- Shippo: docs.goshippo.com/docs/tracking/trackingcarriers (`dhl_express`, `royal_mail`).
- AfterShip: the slugs of aftership.com/docs/tracking/others/supported-couriers (`cj-korea-thai`, `taqbin-jp`).
- Delivery Tracker: the carrier ids of github.com/shlee322/delivery-tracker, packages/core (`kr.cjlogistics`).
- SweetTracker: the code list in public integrations (`04`); its own list is not published without a key.

The words for a parcel's status are in each aggregator's `webhook.py` (Delivery Tracker: `api.py`).

Networks of one group stay separate (DHL eCommerce is not DHL Express), because each assigns its own tracking numbers.
"""

import re
import unicodedata

# In the form of `_spelling`: lower case, without spaces, dots, hyphens and underscores.
_NAMES = {
    "cj": """cj대한통운 대한통운 씨제이대한통운 cj택배 cj대한통운택배 cjlogistics cjgls krcjlogistics cjkoreathai
        cjkoreaexpress cjexpress koreaexpress doortodoor""",
    "epost": "우체국 우체국택배 우체국소포 우편 koreapost krepost krpost kpost koreapostdomestic epostkorea",
    "hanjin": "한진 한진택배 hanjinexpress hanjinlogistics krhanjin hanjinkr",
    "lotte": "롯데 롯데택배 롯데글로벌로지스 현대택배 lotteglobal lotteglobalkr lottelogistics lotteglogis krlotte",
    "logen": "로젠 로젠택배 logenexpress ilogen krlogen logenkr",
    "kdexp": "경동 경동택배 kyungdong kyungdongexpress krkdexp",
    "daesin": "대신 대신택배 daesinlogistics krdaesin",
    "ilyang": "일양 일양로지스 일양택배 ilyanglogis krilyanglogis",
    "hdexp": "합동 합동택배 hapdong krhdexp",
    "chunil": "천일 천일택배 chunilps krchunilps",
    "kunyoung": "건영 건영택배 krkunyoung",
    "honam": "우리택배 호남택배 우리택배구호남택배 honamlogis krhonamlogis",
    "cupost": "cu cu편의점택배 cu편의점 cvspost krcupost",
    "gspostbox": "gspostbox택배 gs편의점택배 gs25편의점택배 gs택배 cvsnet cvsnet편의점택배 krcvsnet",
    "homepick": "홈픽 홈픽택배 krhomepick",
    "slx": "slx택배 krslx",
    "hanips": "한의사랑 한의사랑택배 krhanips",
    "cway": "cwayexpress krcway woorien",
    "todaypickup": "오늘의픽업 krtodaypickup",
    "yongmalogis": "용마로지스 kryongmalogis",
    "coupang": "쿠팡 쿠팡로지스틱스 쿠팡로지스틱스서비스 coupangls krcoupangls",
    "pantos": "판토스 범한판토스 lxpantos epantos krepantos",
    "ems": "우체국ems 국제우편 국제특급우편 unupuems krepostems emsworldwide",
    "dhl": "dhlexpress dedhl dhlworldwide dhlworldwideexpress 디에이치엘",
    "dhlecommerce": "dhlecs dhlecommercesolutions dhlecommerceus dhlglobalmail dhlgm",
    "dhlgermany": "dhlpaket dhlparcel dhlparcelde deutschepostdhl",
    "fedex": "fedexexpress fedexground federalexpress usfedex fedexdefault 페덱스",
    "ups": "usups unitedparcelservice upsdap upsground 유피에스",
    "upsmailinnovations": "upsmi",
    "usps": "ususps unitedstatespostalservice uspostalservice",
    "tnt": "tntexpress nltnt",
    "royalmail": "royalmailuk",
    "canadapost": "postescanada",
    "australiapost": "auspost",
    "japanpost": "jppost jpyuubin 日本郵便 일본우편",
    "yamato": "kuronekoyamato taqbinjp taqbin yamatotransport yamatojapan jpyamato ヤマト運輸",
    "sagawa": "sagawaexpress jpsagawa 佐川急便",
    "sfexpress": "sf sfex sfinternational 순펑 顺丰",
    "cainiao": "cainiaoglobal cncainiaoglobal",
    "deutschepost": "deutschepostmail",
    "hermesuk": "evri evriuk hermes myhermesuk",
    "laposte": "laposteco",
    "postnl": "postnl3s postnlparcels",
    "newzealandpost": "nzpost",
    "ontrac": "ontracexpress",
    "purolator": "purolatorcanada",
}
_SWEETTRACKER = {
    "01": "우체국택배",
    "04": "CJ대한통운",
    "05": "한진택배",
    "06": "로젠택배",
    "08": "롯데택배",
    "11": "일양로지스",
    "12": "EMS",
    "13": "DHL",
    "14": "UPS",
    "16": "한의사랑택배",
    "17": "천일택배",
    "18": "건영택배",
    "21": "FedEx",
    "22": "대신택배",
    "23": "경동택배",
    "24": "GS Postbox 택배",
    "25": "TNT Express",
    "26": "USPS",
    "32": "합동택배",
    "33": "DHL Global Mail",
    "37": "범한판토스",
    "44": "SLX택배",
    "45": "우리택배",
    "46": "CU 편의점택배",
    "54": "홈픽택배",
    "57": "Cway Express",
    "74": "용마로지스",
    "94": "오늘의픽업",
}
_SEPARATORS = re.compile(r"\(주\)|[\W_]+")
"""Word separators, and the Korean abbreviation for *Ltd.*, which some senders leave out."""


def _spelling(carrier: str) -> str:
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", carrier).casefold())


_BY_SPELLING = {spelling: name for name, spellings in _NAMES.items() for spelling in (name, *spellings.split())}
_BY_SPELLING |= {code: _BY_SPELLING[_spelling(name)] for code, name in _SWEETTRACKER.items()}


def normalise(carrier: str | None) -> str | None:
    """Return the carrier's code; for an unknown carrier its name in lower case, without spaces and punctuation.

    A SweetTracker number is read as its carrier, also from a shop. None, and a name that is all punctuation, give None.
    """
    if carrier is None:
        return None
    spelling = _spelling(carrier)
    return _BY_SPELLING.get(spelling, spelling) or None


def by_sweettracker_code(code: str | None) -> str | None:
    """Return the name of a carrier by its SweetTracker number; for an unknown number `SweetTracker {code}`.

    Return None for an empty `code`.
    """
    if not code:
        return None
    return _SWEETTRACKER.get(code.zfill(2), f"SweetTracker {code}")
