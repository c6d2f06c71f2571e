"""The page that `make bench` writes."""

import math

from bench.rig.figures import Figure, line
from bench.rig.page import ROOT, Part, page


def a_part(*figures: Figure, code: int = 0) -> Part:
    return Part("The gateway", "python -m bench.gateway", figures, "it printed this\n", 61.0, code)


def test_a_figure_stands_beside_its_goal_its_peers_and_their_ratio() -> None:
    figure = Figure("CPU of a webhook", 5.0, "ms", "≤ 6", {"FastAPI": 10.0}, rounds=(4.8, 5.3))

    text = page([a_part(figure)], "2026-11-27", quick=False)

    assert "| | hookstream | goal | FastAPI |" in text.replace("|  |", "| |")
    assert "| CPU of a webhook | **5** ms (4.8 to 5.3) | ≤ 6 | 10 (0.50 x) |" in text


def test_a_benchmark_that_fails_is_reported_with_what_it_printed() -> None:
    text = page([a_part(code=1), a_part(Figure("n", 1, "s"))], "2026-11-27", quick=True)

    assert "It failed with exit code 1" in text
    assert "it printed this" in text
    assert "**1** s" in text


def test_a_value_that_could_not_be_measured_is_none() -> None:
    text = page([a_part(Figure("n", math.nan, "ms", peers={"before": math.nan}))], "2026-11-27", quick=False)

    assert "**none** ms" in text
    assert "nan" not in text


def test_a_line_names_the_ratio_to_each_peer() -> None:
    assert line(Figure("CPU", 120.0, "us", "≤ 1.0", {"bare": 100.0, "none": 0.0})) == (
        "CPU: 120 us | goal ≤ 1.0 | 1.20 x bare (100)"
    )


def test_no_path_of_this_machine_gets_on_the_page() -> None:
    part = Part("n", "python -m bench.n", [], f'File "{ROOT}/bench/n.py"', 1.0, 1)

    assert str(ROOT) not in page([part], "2026-11-27", quick=False)
