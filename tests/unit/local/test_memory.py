"""What a local run decides once and remembers."""

from pathlib import Path

from local import memory
from local.place import Place


def test_a_new_run_has_few_partitions(tmp_path: Path) -> None:
    assert memory.partitions(Place(tmp_path, tmp_path)) == memory.PARTITIONS


def test_the_partitions_of_a_run_stay_what_they_were(tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path)
    first = memory.partitions(place)
    (tmp_path / "kafka" / "log").mkdir(parents=True)

    assert memory.partitions(place) == first


def test_a_run_of_an_older_version_keeps_its_12_partitions(tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path)
    (tmp_path / "kafka" / "log").mkdir(parents=True)

    assert [memory.partitions(place), memory.partitions(place)] == [12, 12]
