"""The filters of failed events: each is parsed, or the whole request is refused."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.management.routes import RequestRefused
from stream.dead_letters import filters
from stream.dead_letters.selection import EventFilter

ID = "0f8e2a51-5c5d-5b3f-9b1f-0a4f2f6f7a11"
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5)


def test_no_filter_selects_all_events() -> None:
    assert filters.parse({}) == EventFilter()


def test_each_filter_is_a_text_or_a_list_of_texts() -> None:
    fields = {"id": ID.upper(), "status": "dead", "order": ["1", "주문-2"], "cause": "CheckViolation"}

    assert filters.parse(fields) == EventFilter((ID,), ("dead",), ("1", "주문-2"), ("CheckViolation",))


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("2026-02-03", "2026-02-03", (datetime(2026, 2, 3, tzinfo=UTC), datetime(2026, 2, 4, tzinfo=UTC))),
        ("2026-02-03T09:00:00 09:00", "2026-02-03T00:00:01Z", (datetime(2026, 2, 3, tzinfo=UTC),) * 2),
    ],
)
def test_a_date_is_a_day_of_utc_and_an_instant_says_its_offset(
    since: str, until: str, expected: tuple[datetime, datetime]
) -> None:
    selected = filters.parse({"since": since, "until": until})

    assert selected.since == expected[0]
    assert selected.until is not None
    assert selected.until.replace(second=0) == expected[1]


@pytest.mark.parametrize(
    "fields",
    [
        {"orders": "1"},
        {"limit": "5"},
        {"status": "abandoned"},
        {"id": "1"},
        {"id": []},
        {"order": ""},
        {"order": 7},
        {"order": "a\x00"},
        {"cause": "x" * 201},
        {"since": "2026-02-30"},
        {"since": "2026-02-03T09:00:00"},
        {"until": "9999-12-31"},
        {"since": "2026-02-04", "until": "2026-02-03"},
    ],
)
def test_a_wrong_filter_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(RequestRefused) as refused:
        filters.parse(fields)

    assert (refused.value.status, refused.value.error) == (400, "malformed")


@given(st.dictionaries(st.sampled_from(sorted(filters.FILTERS)) | st.text(), JSON))
def test_any_fields_are_parsed_or_refused(fields: dict[str, Any]) -> None:
    with suppress(RequestRefused):
        assert isinstance(filters.parse(fields), EventFilter)


@pytest.mark.parametrize("fields", ["0", "501", "-1", "x", "٣", "", 1.5, True, "9" * 5000])
def test_a_limit_is_a_number_within_reason(fields: object) -> None:
    assert (filters.limit(None), filters.limit("500"), filters.limit(7)) == (50, 500, 7)
    with pytest.raises(RequestRefused):
        filters.limit(fields)
