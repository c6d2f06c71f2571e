"""One carrier, one name: whichever way it is spelled, a parcel's scans stay in one order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.parsing.carriers import by_sweettracker_code, normalise


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("CJ대한통운", "cj"),
        ("cj 대한통운", "cj"),
        ("CJ-대한통운", "cj"),
        ("CJ대한통운(주)", "cj"),
        ("㈜한진", "hanjin"),
        ("ＣＪ대한통운", "cj"),
        ("CJ Logistics", "cj"),
        ("kr.cjlogistics", "cj"),
        ("우체국", "epost"),
        ("우체국 택배", "epost"),
        ("한진택배", "hanjin"),
        ("롯데글로벌로지스", "lotte"),
        ("로젠", "logen"),
        ("DHL", "dhl"),
        ("dhl", "dhl"),
        ("DHLExpress", "dhl"),
        ("DHL Express", "dhl"),
        ("dhl_express", "dhl"),
        ("de.dhl", "dhl"),
        ("13", "dhl"),
        ("dhl_ecommerce", "dhlecommerce"),
        ("DhlEcs", "dhlecommerce"),
        ("dhl-global-mail", "dhlecommerce"),
        ("dhl-germany", "dhlgermany"),
        ("FedEx", "fedex"),
        ("us.fedex", "fedex"),
        ("FedExDefault", "fedex"),
        ("us.ups", "ups"),
        ("UPSDAP", "ups"),
        ("us.usps", "usps"),
        ("RoyalMail", "royalmail"),
        ("royal_mail", "royalmail"),
        ("royal-mail", "royalmail"),
        ("AustraliaPost", "australiapost"),
        ("australia_post", "australiapost"),
        ("KuronekoYamato", "yamato"),
        ("taqbin-jp", "yamato"),
        ("jp.yamato", "yamato"),
        ("JPPost", "japanpost"),
        ("japan-post", "japanpost"),
        ("jp.yuubin", "japanpost"),
        ("SFExpress", "sfexpress"),
        ("sf-express", "sfexpress"),
        ("hermes_uk", "hermesuk"),
        ("Evri", "hermesuk"),
        ("경동택배", "kdexp"),
        ("kr.kdexp", "kdexp"),
        ("GS Postbox 택배", "gspostbox"),
        ("kr.cvsnet", "gspostbox"),
        ("CU 편의점택배", "cupost"),
        ("대신택배", "daesin"),
        ("일양로지스", "ilyang"),
        ("kr.chunilps", "chunil"),
        ("cj-logistics", "cj"),
        ("cj_logistics", "cj"),
        ("04", "cj"),
        ("Somebody's Courier Co.", "somebodyscourierco"),
        ("CJ", "cj"),
        ("CJLogistics", "cj"),
        ("cj-korea-thai", "cj"),
        ("cjlogistics", "cj"),
        ("kr.epost", "epost"),
        ("kr-post", "epost"),
        ("USPS", "usps"),
        ("usps", "usps"),
    ],
)
def test_spellings_of_one_carrier_are_one_name(spelled: str, name: str) -> None:
    assert normalise(spelled) == name


@pytest.mark.parametrize("nothing", [None, "", " ", "-", "\t\n", "😀"])
def test_what_names_no_carrier_is_none(nothing: str | None) -> None:
    assert normalise(nothing) is None


@given(st.text(max_size=40))
def test_a_name_is_its_own_name(carrier: str) -> None:
    once = normalise(carrier)

    assert normalise(once) == once


@given(st.text(max_size=40))
def test_case_and_spaces_do_not_matter(carrier: str) -> None:
    assert normalise(f"  {carrier}- ") == normalise(carrier)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("04", "cj"),
        ("01", "epost"),
        ("05", "hanjin"),
        ("08", "lotte"),
        ("06", "logen"),
        ("4", "cj"),
        ("23", "kdexp"),
        ("13", "dhl"),
    ],
)
def test_sweettrackers_numbers_are_the_same_carriers(code: str, name: str) -> None:
    assert normalise(by_sweettracker_code(code)) == name


def test_a_number_nobody_knows_is_a_carrier_of_its_own_and_none_is_none() -> None:
    assert normalise(by_sweettracker_code("999")) == "sweettracker999"
    assert by_sweettracker_code("") is None
