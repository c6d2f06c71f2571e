"""Time ranges as days, hours and the rest; and the spans that fill a page."""

from hypothesis import given
from hypothesis import strategies as st

from console.queries.criteria import Range
from console.queries.figures.spans import DAY, EARLIEST, HOUR, LATEST, Piece, bounds, newest, pieces

instants = st.integers(-3 * DAY, 3 * DAY) | st.integers(-3, 3).map(lambda n: n * DAY) | st.just(HOUR)


@given(instants, instants)
def test_the_pieces_of_a_range_are_all_of_it_and_nothing_twice(start: int, end: int) -> None:
    found = pieces(start, end)

    at = start
    for piece in found:
        assert piece.start == at
        assert piece.end > piece.start
        at = piece.end
    assert at == max(start, end) or not found
    assert all(piece.start % piece.span == piece.end % piece.span == 0 for piece in found if piece.span)


@given(instants, instants)
def test_rows_are_counted_for_less_than_two_hours_and_hours_for_less_than_two_days(start: int, end: int) -> None:
    found = pieces(start, end)

    assert sum(piece.end - piece.start for piece in found if piece.span == 0) < 2 * HOUR
    assert sum(piece.end - piece.start for piece in found if piece.span == HOUR) < 2 * DAY


def test_days_of_utc_and_all_of_time_are_one_piece() -> None:
    assert pieces(*bounds(Range(DAY, 3 * DAY))) == [Piece(DAY, DAY, 3 * DAY)]
    assert pieces(*bounds(Range())) == [Piece(DAY, EARLIEST, LATEST)]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5)), max_size=8), st.integers(0, 9), st.integers(1, 9))
def test_the_newest_hours_hold_the_page_or_are_all_there_are(
    made: list[tuple[int, int]], end: int, wanted: int
) -> None:
    counted = sorted({hour * HOUR: count for hour, count in made if hour < end}.items(), reverse=True)

    found = newest(counted, HOUR, end * HOUR, wanted)

    held = sum(dict(counted)[start] for start in found)
    assert found == [start for start, _ in counted[: len(found)]]
    assert held >= wanted or len(found) == len(counted)
    assert held - dict(counted)[found[-1]] < wanted if found else not counted


def test_an_hour_that_reaches_beyond_the_end_counts_as_empty() -> None:
    assert newest([(HOUR, 5), (0, 5)], HOUR, HOUR + 1, 1) == [HOUR, 0]
