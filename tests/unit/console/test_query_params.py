"""Query parameters, well-formed and malformed."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.api.query_params import cursor, of_statistics, of_webhooks
from console.queries.criteria import BadParameter, Range

DAY = 86_400_000_000
FEBRUARY_3 = 1_770_076_800_000_000


@pytest.mark.parametrize(
    ("begin", "end", "meant"),
    [
        ("2026-02-03", "2026-02-03", Range(FEBRUARY_3, FEBRUARY_3 + DAY)),
        ("2026-02-03T09:00:00+09:00", "2026-02-04T00:00:00Z", Range(FEBRUARY_3, FEBRUARY_3 + DAY)),
        ("2026-02-03T09:00:00 09:00", "", Range(FEBRUARY_3, None)),
        ("", "2026-02-03", Range(None, FEBRUARY_3 + DAY)),
    ],
)
def test_a_date_is_a_day_of_utc_and_an_instant_says_its_offset(begin: str, end: str, meant: Range) -> None:
    assert of_statistics({"from": [begin], "to": [end]}).received == meant


@given(
    st.dictionaries(
        st.sampled_from(["from", "to", "provider", "status", "limit", "cursor", "id", "x"]),
        st.lists(st.text(), min_size=1, max_size=2),
    )
)
def test_whatever_is_given_is_understood_or_refused(given_: dict[str, list[str]]) -> None:
    for verification_request in (of_statistics, of_webhooks):
        with suppress(BadParameter):
            verification_request(given_)


@given(st.integers(-(2**63), 2**63 - 1), st.uuids())
def test_a_cursor_leads_back_to_where_a_page_ended(at: int, webhook_id: object) -> None:
    _, page = of_webhooks({"cursor": [cursor((at, str(webhook_id)))]})

    assert page.after == (at, str(webhook_id))
