"""Choices of a local run that stay the same after a restart."""

import subprocess
import sys
from pathlib import Path

from local import run_state
from local.paths import Paths


def test_a_new_run_has_few_partitions(tmp_path: Path) -> None:
    assert run_state.partitions(Paths(tmp_path, tmp_path)) == run_state.PARTITIONS


def test_the_partitions_of_a_run_stay_what_they_were(tmp_path: Path) -> None:
    place = Paths(tmp_path, tmp_path)
    first = run_state.partitions(place)
    (tmp_path / "kafka" / "log").mkdir(parents=True)

    assert run_state.partitions(place) == first


def test_a_run_of_an_older_version_keeps_its_12_partitions(tmp_path: Path) -> None:
    place = Paths(tmp_path, tmp_path)
    (tmp_path / "kafka" / "log").mkdir(parents=True)

    assert [run_state.partitions(place), run_state.partitions(place)] == [12, 12]


def test_two_runs_that_start_at_the_same_time_choose_different_ports(tmp_path: Path) -> None:
    chosen = run_state.ports(Paths(tmp_path, tmp_path), ["gateway"], {})["gateway"]
    other = tmp_path / "other"
    other.mkdir()
    start = (
        "from pathlib import Path; from local import run_state; from local.paths import Paths; "
        f"there = Path({str(other)!r}); "
        f"print(run_state.ports(Paths(there, there), ['gateway'], {{'gateway': {chosen}}})['gateway'])"
    )

    theirs = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True, check=True).stdout

    assert int(theirs) != chosen
    assert run_state.ports(Paths(tmp_path, tmp_path), ["gateway"], {})["gateway"] == chosen
