"""Contract E's statistics: sums and shares."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.api.views.statistics import rate, statistics
from console.domain import STATUSES
from console.queries.criteria import StatusCount

counts = st.lists(st.builds(StatusCount, st.sampled_from(["A", "B"]), st.sampled_from(STATUSES), st.integers(0, 10**6)))


@pytest.mark.parametrize(
    ("part", "whole", "share"),
    [(19, 20, "0.9500"), (0, 0, "0.0000"), (2, 3, "0.6667"), (1, 3, "0.3333"), (1, 20_000, "0.0001"), (7, 7, "1.0000")],
)
def test_a_rate_has_four_decimals_rounded_half_up(part: int, whole: int, share: str) -> None:
    assert rate(part, whole) == share


@given(counts)
def test_the_types_add_up_to_the_whole(counted: list[StatusCount]) -> None:
    seen = statistics("ALL", counted)

    types = seen["typeStatistics"]
    assert seen["totalCount"] == sum(row.count for row in counted) == sum(one["count"] for one in types)
    assert seen["successCount"] == sum(one["successCount"] for one in types)
    assert seen["failedCount"] == sum(one["failedCount"] for one in types)
    assert seen["successCount"] + seen["failedCount"] <= seen["totalCount"]
