"""Validates e-mail addresses: mail reaches an accepted address exactly as it is written.

Stricter than RFC 5321: text that a mail server or a header parser could read as another address than it shows is
rejected. So are quoted local parts, routes (`%`, `!`), encoded words and address literals.
"""

import re
import unicodedata

import idna

MAX_OCTETS = 254  # RFC 5321, erratum 1690: a path has 256 octets, two of them are brackets
MAX_LOCAL_OCTETS = 64
LOST = "\ufffd"
"""The replacement character, which stands for a character that could not be decoded."""
MAX_DOMAIN_OCTETS = 253

_ATOM = re.compile(r"[A-Za-z0-9#$&'*+/=?^_`{|}~-]+")
"""RFC 5322's atext without `!` and `%`, which mail servers may read as a route to another domain."""
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"})
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Invisible characters of other categories (Unicode: Default_Ignorable_Code_Point): fillers, variation selectors."""
_JOINERS = "\u200c\u200d"
"""Format characters that are part of words in some scripts; IDNA 2008 defines where they are valid."""


class Unusable(ValueError):
    """The text is not accepted as an address. The message says why and does not contain the text."""


def parse(text: str, *, allow_dotless: bool = False) -> str:
    """Return the address in `text`: white space trimmed, an international domain as A-labels (UTS 46).

    The rest is unchanged: an ASCII domain and the local part keep their case, and the local part may have letters
    beyond ASCII (RFC 6531). Parsing the result again returns it unchanged. `allow_dotless` admits a domain of one label
    such as `localhost`, for addresses that the operator chooses. Raises Unusable when the text is not accepted as an
    address.
    """
    address = text.strip()
    if len(address) > MAX_OCTETS:
        raise Unusable(f"it is longer than {MAX_OCTETS} characters")
    if not address:
        raise Unusable("it is empty")
    if LOST in address:
        raise Unusable("it holds a character that could not be read")
    if address.count("@") != 1:
        raise Unusable("it has more than one @" if "@" in address else "it has no @")
    local, _, domain = address.partition("@")
    _check_local(local)
    address = f"{local}@{_ascii_domain(domain, allow_dotless=allow_dotless)}"
    if len(address.encode()) > MAX_OCTETS:
        raise Unusable(f"it is longer than {MAX_OCTETS} octets")
    return address


def has_control_character(text: str) -> bool:
    """Return whether `text` holds a control character, such as a line break."""
    return any(unicodedata.category(character) == "Cc" for character in text)


def _check_local(local: str) -> None:
    if "" in local.split("."):
        raise Unusable("the part before the @ is empty, or has a dot at an end or two in a row")
    if any(map(_is_hidden, local)):
        raise Unusable("the part before the @ holds a space or an invisible character")
    if len(local.encode()) > MAX_LOCAL_OCTETS:
        raise Unusable(f"the part before the @ is longer than {MAX_LOCAL_OCTETS} octets")
    if local[0] in "-|/":  # an option, a pipe or a file to some delivery agents
        raise Unusable(f"it starts with {local[0]}")
    if "=?" in local:
        raise Unusable("it holds an encoded word (=?), which some readers decode to another address")
    if any(map(_is_forbidden, local.replace(".", ""))) or "/../" in local:
        raise Unusable("the part before the @ holds a character that is not allowed there")


def _is_hidden(character: str) -> bool:
    """Return whether a character is invisible, so that two different addresses could look the same."""
    return unicodedata.category(character) in _UNPRINTABLE or _INVISIBLE.match(character) is not None


def _is_forbidden(character: str) -> bool:
    """Return whether a character is not atext (RFC 5322, RFC 6531), or is a compatibility form of ASCII (a wide @)."""
    if character.isascii():
        return not _ATOM.fullmatch(character)
    return any(part.isascii() for part in unicodedata.normalize("NFKC", character))


def _ascii_domain(domain: str, *, allow_dotless: bool) -> str:
    if any(_is_hidden(character) and character not in _JOINERS for character in domain):
        # UTS 46 drops some of them, and the mail would go to another domain than the text shows.
        raise Unusable("the domain holds a space or an invisible character")
    name = _encoded(domain)
    labels = name.split(".")
    if not all(map(_LABEL.fullmatch, labels)) or len(name) > MAX_DOMAIN_OCTETS:
        raise Unusable(
            "the domain is not a host name: a label is empty, too long or holds a character that is not allowed"
        )
    if _NUMBER.fullmatch(labels[-1]):
        raise Unusable("the domain is an IP address or ends in a number")
    if len(labels) == 1 and not allow_dotless:
        raise Unusable("the domain has no dot")
    return name


def _encoded(domain: str) -> str:
    """Return the domain in ASCII; an ASCII domain unchanged, including its upper case.

    Raises Unusable for a domain that is no international domain name.
    """
    try:
        if not domain.isascii():
            return idna.encode(domain, uts46=True, std3_rules=True).decode()
        if "xn--" in domain.lower():
            idna.encode(domain.lower())
    except (idna.IDNAError, UnicodeError) as failure:
        raise Unusable("the domain is not an international domain name (UTS 46, IDNA 2008)") from failure
    return domain
