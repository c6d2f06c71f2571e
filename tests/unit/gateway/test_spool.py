"""The spool: an acknowledged record survives a kill at any byte, in its order, and the file stays within its bound."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.append.spool import ProducerRecord, Spool, SpoolFull
from tests.disks import a_small_disk, empty, fill

ROOMY = 1_000_000
RECORDS = [ProducerRecord("webhooks.payment.v1", f"order-{n}", bytes([n]) * (n * 7)) for n in range(5)]


def filled(folder: Path, records: list[ProducerRecord] = RECORDS, max_bytes: int = ROOMY) -> Spool:
    async def fill() -> Spool:
        spool = Spool(folder, max_bytes)
        await asyncio.gather(*(spool.append(record) for record in records))
        return spool

    return asyncio.run(fill())


def test_what_was_appended_is_there_in_its_order(tmp_path: Path) -> None:
    spool = filled(tmp_path)

    assert (spool.has_pending, spool.records, spool.peek(9)) == (True, 5, (RECORDS, spool.size))


def test_a_restart_finds_everything(tmp_path: Path) -> None:
    filled(tmp_path).close()

    assert Spool(tmp_path, ROOMY).peek(9)[0] == RECORDS


def test_a_restart_goes_on_behind_what_kafka_has(tmp_path: Path) -> None:
    spool = filled(tmp_path)
    first, position = spool.peek(2)
    spool.advance(position, len(first))
    spool.close()

    again = Spool(tmp_path, ROOMY)

    assert (again.records, again.peek(9)[0]) == (3, RECORDS[2:])


def test_a_torn_record_is_cut_off_wherever_it_was_torn(tmp_path: Path) -> None:
    filled(tmp_path).close()
    whole = (tmp_path / "spool.log").read_bytes()
    filled(tmp_path / "four", RECORDS[:4]).close()
    four = len((tmp_path / "four" / "spool.log").read_bytes())

    for end in range(four, len(whole)):
        (tmp_path / "spool.log").write_bytes(whole[:end])
        spool = Spool(tmp_path, ROOMY)
        assert spool.peek(9)[0] == RECORDS[:4], end
        assert asyncio.run(append_one(spool)).peek(9)[0] == [*RECORDS[:4], RECORDS[0]], end
        spool.close()


def test_a_record_whose_bytes_were_changed_is_not_believed(tmp_path: Path) -> None:
    filled(tmp_path).close()
    whole = bytearray((tmp_path / "spool.log").read_bytes())
    whole[-1] ^= 1
    (tmp_path / "spool.log").write_bytes(whole)

    assert Spool(tmp_path, ROOMY).peek(9)[0] == RECORDS[:4]


def test_an_empty_spool_gives_its_room_back(tmp_path: Path) -> None:
    spool = filled(tmp_path)

    spool.advance(spool.size, spool.records)

    assert (spool.has_pending, spool.size, (tmp_path / "spool.log").stat().st_size) == (False, 0, 0)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    spool = filled(tmp_path, RECORDS[:1], max_bytes=100)

    with pytest.raises(SpoolFull):
        asyncio.run(append_one(spool, ProducerRecord("t", "k", bytes(100))))

    assert spool.records == 1


def test_two_gateways_do_not_share_a_spool(tmp_path: Path) -> None:
    first = Spool(tmp_path, ROOMY)

    with pytest.raises(OSError, match="another gateway"):
        Spool(tmp_path, ROOMY)
    first.close()


def test_a_position_at_which_no_record_begins_loses_none(tmp_path: Path) -> None:
    filled(tmp_path).close()
    (tmp_path / "spool.position").write_text("3")

    assert Spool(tmp_path, ROOMY).peek(9)[0] == RECORDS


def test_an_emptied_spool_forgets_its_position_before_it_is_written_again(tmp_path: Path) -> None:
    """An old position would skip as many bytes of what comes next."""
    spool = filled(tmp_path)
    spool.advance(spool.peek(3)[1], 3)
    spool.advance(spool.size, 2)
    spool.close()

    filled(tmp_path, RECORDS[3:]).close()

    assert Spool(tmp_path, ROOMY).peek(9)[0] == RECORDS[3:]


def test_the_spool_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    spool = filled(tmp_path / "spool")
    spool.advance(spool.peek(3)[1], 3)

    assert (tmp_path / "spool").stat().st_mode & 0o077 == 0
    assert (tmp_path / "spool" / "spool.log").stat().st_mode & 0o077 == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with a_small_disk(tmp_path / "disk") as disk:
        yield disk


def test_a_full_disk_refuses_records_and_keeps_those_it_has(small_disk: Path) -> None:
    spool = filled(small_disk / "spool")
    fill(small_disk)

    with pytest.raises(OSError, match="No space left"):
        asyncio.run(append_one(spool, ProducerRecord("t", "k", bytes(100_000))))
    write_error = spool.write_error
    empty(small_disk)
    asyncio.run(append_one(spool))
    spool.close()

    assert write_error == "No space left on device"
    assert spool.write_error is None
    assert Spool(small_disk / "spool", ROOMY).peek(9)[0] == [*RECORDS, RECORDS[0]]


def test_a_full_disk_is_found_out_before_anything_is_written_and_so_is_one_with_little_room(small_disk: Path) -> None:
    spool = Spool(small_disk / "spool", ROOMY)
    errors = []
    for leave in (0, 500_000):
        fill(small_disk, leave)
        spool.probe()
        errors.append(spool.write_error)
        empty(small_disk)
    spool.probe()

    assert errors[0] == "No space left on device"
    assert "bytes of room are left" in str(errors[1])
    assert spool.write_error is None


def test_on_a_full_disk_progress_is_kept_in_mind_and_an_emptied_spool_gives_its_room_back(small_disk: Path) -> None:
    spool = filled(small_disk / "spool", [ProducerRecord("t", "k", bytes(300_000)) for _ in range(3)])
    fill(small_disk)

    with pytest.raises(OSError, match="No space left"):
        spool.advance(spool.peek(1)[1], 1)
    assert spool.records == 2
    spool.advance(spool.size, 2)

    assert (spool.records, spool.size, (small_disk / "spool" / "spool.log").stat().st_size) == (0, 0, 0)
    spool.close()
    assert Spool(small_disk / "spool", ROOMY).records == 0


async def append_one(spool: Spool, record: ProducerRecord = RECORDS[0]) -> Spool:
    await spool.append(record)
    return spool
