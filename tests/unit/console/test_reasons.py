"""Every action with a reason refuses one that is missing or too long, instead of cutting it."""

import pytest

from console.web import reasons
from console.web.page import ActionRefused
from tests.unit.console.page_requests import page_request


@pytest.mark.parametrize("reason", ["x" * 9, " asked by Lee "])
def test_a_reason_is_returned_without_blanks_at_its_ends(reason: str) -> None:
    assert reasons.required(page_request(form={"because": reason}), "because", 12) == reason.strip()
    assert reasons.optional(page_request(form={"because": reason}), "because", 12) == reason.strip()


def test_a_reason_above_the_limit_is_refused() -> None:
    for read in (reasons.optional, reasons.required):
        with pytest.raises(ActionRefused, match=r"action\.reason_too_long") as refused:
            read(page_request(form={"because": "x" * 13}), "because", 12)
        assert refused.value.values == {"most": 12}


def test_only_a_required_reason_is_refused_when_it_is_missing() -> None:
    assert reasons.optional(page_request(), "because", 12) == ""
    for form in (None, {"because": " "}):
        with pytest.raises(ActionRefused, match=r"action\.reason_missing"):
            reasons.required(page_request(form=form), "because", 12)
