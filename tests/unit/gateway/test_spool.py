"""The spool: what was said to be safe is there after a kill at any byte, in its order, and never more than fits."""

import asyncio
from pathlib import Path

import pytest

from gateway.spool import Spool, Spooled, SpoolFull

ROOMY = 1_000_000
RECORDS = [Spooled("webhooks.payment.v1", f"order-{n}", bytes([n]) * (n * 7)) for n in range(5)]


def filled(folder: Path, records: list[Spooled] = RECORDS, max_bytes: int = ROOMY) -> Spool:
    async def fill() -> Spool:
        spool = Spool(folder, max_bytes)
        await asyncio.gather(*(spool.append(record) for record in records))
        return spool

    return asyncio.run(fill())


def test_what_was_appended_is_there_in_its_order(tmp_path: Path) -> None:
    spool = filled(tmp_path)

    assert (spool.holds_any, spool.records, spool.peek(9)) == (True, 5, (RECORDS, spool.size))


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

    assert (spool.holds_any, spool.size, (tmp_path / "spool.log").stat().st_size) == (False, 0, 0)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    spool = filled(tmp_path, RECORDS[:1], max_bytes=100)

    with pytest.raises(SpoolFull):
        asyncio.run(append_one(spool, Spooled("t", "k", bytes(100))))

    assert spool.records == 1


def test_two_gateways_do_not_share_a_spool(tmp_path: Path) -> None:
    first = Spool(tmp_path, ROOMY)

    with pytest.raises(OSError, match="another gateway"):
        Spool(tmp_path, ROOMY)
    first.close()


async def append_one(spool: Spool, record: Spooled = RECORDS[0]) -> Spool:
    await spool.append(record)
    return spool
