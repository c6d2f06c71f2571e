"""One name per carrier, whoever spells it: the first half of a parcel's key."""

import re
import unicodedata

_NAMES = {
    "cj": ("cj대한통운", "대한통운", "cjlogistics", "cjgls", "krcjlogistics", "cjkoreathai", "cjkoreaexpress"),
    "epost": ("우체국", "우체국택배", "koreapost", "krepost", "krpost", "kpost"),
    "hanjin": ("한진", "한진택배", "hanjinexpress", "krhanjin"),
    "lotte": ("롯데", "롯데택배", "롯데글로벌로지스", "lotteglobal", "lotteglobalkr", "krlotte"),
    "logen": ("로젠", "로젠택배", "logenexpress", "krlogen", "logenkr"),
}
_BY_SPELLING = {spelling: name for name, spellings in _NAMES.items() for spelling in (name, *spellings)}
_SWEETTRACKER = {"01": "우체국", "04": "CJ대한통운", "05": "한진택배", "06": "로젠택배", "08": "롯데택배"}
_SEPARATORS = re.compile(r"[\W_]+")


def normalise(carrier: str | None) -> str | None:
    """The carrier's one name: lower case, without spaces and marks; known spellings are one. None when not given."""
    if carrier is None:
        return None
    spelling = _SEPARATORS.sub("", unicodedata.normalize("NFKC", carrier).lower())
    return _BY_SPELLING.get(spelling, spelling) or None


def by_sweettracker_code(code: str | None) -> str | None:
    """The name of the carrier SweetTracker numbers so; of one whose name we do not know, a name of its own."""
    if not code:
        return None
    return _SWEETTRACKER.get(code.zfill(2), f"SweetTracker {code}")
