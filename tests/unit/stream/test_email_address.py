"""An accepted address is mailed exactly as it is written."""

from email.message import EmailMessage
from email.parser import Parser
from email.policy import default
from email.utils import getaddresses
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream.events.text.email_address import Unusable, has_control_character, parse

VICTIM = "=?utf-8?q?victim=40other.test=2C?=@x.test"
SOMETHING_LIKE_IT = st.text(
    st.sampled_from("ab.@-_+|!%/\\\"'<>(),;:=?[]{} \t\r\n\x00\xa0\u3000\u200b\u202e\uff20\uff0e\u3002é한ß😀\ud800xn")
)


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("kim@shop.example", "kim@shop.example"),
        ("  kim@shop.example\u3000", "kim@shop.example"),
        ("Kim.O'Brien+tag@Shop.Example", "Kim.O'Brien+tag@Shop.Example"),
        ("a/b=c?d#e$f&g*h^i_j`k{l|m}n~o@x.test", "a/b=c?d#e$f&g*h^i_j`k{l|m}n~o@x.test"),
        ("1@2.example", "1@2.example"),
        ("kim@bücher.example", "kim@xn--bcher-kva.example"),
        ("kim@BÜCHER.example", "kim@xn--bcher-kva.example"),
        ("kim@faß.example", "kim@xn--fa-hia.example"),
        ("kim@쇼핑몰。한국", "kim@xn--352bl7khqr.xn--3e0b707e"),
        ("kim@XN--BCHER-KVA.example", "kim@XN--BCHER-KVA.example"),
        ("kim@\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.example", "kim@xn--mgba3gch31f060k.example"),
        ("김민지@shop.example", "김민지@shop.example"),
        ("김민지@쇼핑몰.한국", "김민지@xn--352bl7khqr.xn--3e0b707e"),
        ("a" * 64 + "@x.test", "a" * 64 + "@x.test"),
    ],
)
def test_an_address_is_kept_as_it_is_written_but_for_space_around_it_and_its_domain_s_script(
    written: str, address: str
) -> None:
    assert parse(written) == address


@pytest.mark.parametrize(
    "text",
    [
        VICTIM,
        "=?utf-8?b?dmljdGlt?=@x.test",
        "a=?utf-8?q?b?=@x.test",
        *("kim@.x.test", "kim@x.test.", "kim@x..test", "kim@", "kim@x", "kim@-x.test", "kim@x-.test", "kim@x_y.test"),
        *("kim@" + "x" * 64 + ".test", "kim@" + "x." * 126 + "tests", "a" * 65 + "@x.test", "한" * 22 + "@x.test"),
        *(".kim@x.test", "kim.@x.test", "k..im@x.test", "@x.test", "kim", "", " ", "@", "."),
        *("|kim@x.test", "-kim@x.test", "/etc/passwd@x.test", "a/../b@x.test"),
        *("kim%other.test@x.test", "other.test!kim@x.test", "@x.test:kim@y.test"),
        *(
            "kim@x.test,lee@x.test",
            "kim@x.test;lee@x.test",
            "kim@x.test lee@x.test",
            "kim,lee@x.test",
            "kim@lee@x.test",
        ),
        *(
            "Kim <kim@x.test>",
            "<kim@x.test>",
            "kim(a)@x.test",
            "kim@x.test (Kim)",
            "kim@(a)x.test",
            "mailto:kim@x.test",
        ),
        *('"kim"@x.test', '"kim lee"@x.test', '"a@b"@x.test', "k\\im@x.test", "kim@x.test\r\nBcc: lee@x.test"),
        *("kim@[127.0.0.1]", "kim@127.0.0.1", "kim@x.1", "kim@0x7f", "kim@\uff11\uff12\uff17.0.0.1", "kim@[IPv6:::1]"),
        *(
            "kim@xn--a.test",
            "kim@😀.test",
            "kim@x.test\ud800",
            "k\ud800m@x.test",
            "kim\u202e@x.test",
            "k\u200bim@x.test",
        ),
        *(
            "a\uff20b@x.test",
            "kim\uff20x.test",
            "a\uff0cb@x.test",
            "kim@x.test\uff0clee@y.test",
            "kim@x\uff0e\uff0etest",
            "k\xa0m@x.test",
        ),
        *(
            "kim@x\u200b.test",
            "kim@x\u00ad.test",
            "kim@\ufeffx.test",
            "kim@x.test\ufeff",
            "kim@\u202ex.test",
            "kim@x\ufe0f.test",
        ),
        *("\u3164@x.test", "k\u115fim@x.test", "k\u034fim@x.test", "kim\ufe0f@x.test", "\u2800@x.test"),
        *("k\ufffdm@x.test", "\ufffdkim@x.test", "kim@x\ufffd.test"),
        *("k\x00im@x.test", "kim@x.te\x7fst", "kim@x.test\x85a", "k\u2028m@x.test"),
    ],
)
def test_text_that_could_be_read_as_another_address_is_rejected(text: str) -> None:
    with pytest.raises(Unusable) as why:
        parse(text)

    assert str(why.value).endswith(("@", "|", "-", "/")) or len(str(why.value)) > 10
    assert "x.test" not in str(why.value)


def test_an_address_of_one_label_is_for_operators_only() -> None:
    assert parse("root@localhost", allow_dotless=True) == "root@localhost"
    with pytest.raises(Unusable, match="no dot"):
        parse("root@localhost")


@given(st.text() | SOMETHING_LIKE_IT | st.builds("{}@{}.test".format, SOMETHING_LIKE_IT, SOMETHING_LIKE_IT))
@example(VICTIM)
@example("kim@ex\u00adample.test")
@example("e\u0301@x.test")
def test_an_accepted_address_is_the_same_address_to_every_reader(text: str) -> None:
    try:
        address = parse(text)
    except Unusable:
        return

    assert parse(address) == address
    assert not has_control_character(address)
    assert getaddresses([address]) == [("", address)]
    local, _, domain = address.partition("@")
    assert domain.isascii()
    assert text.strip().startswith(local)
    assert [found.addr_spec for found in as_read_from_a_mail(address)] == [address]


def as_read_from_a_mail(address: str) -> tuple[Any, ...]:
    """Return the addresses that a mail reader finds in a To header with this address."""
    mail: EmailMessage = Parser(policy=default).parsestr(f"To: {address}\r\n\r\n")
    return mail["To"].addresses  # type: ignore[no-any-return]
