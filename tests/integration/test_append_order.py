"""The appender on the real broker: records of one key keep their order, however they were gathered."""

import asyncio
import random
from collections.abc import Sequence

from gateway.append.appender import FEW, Appender
from stream.avro.codec import Codec
from stream.avro.registry import CommittedRegistry
from stream.events import Micros, RejectedWebhook, topics
from stream.kafka.cluster import Cluster
from tests.actors import new_order
from tests.log import reading

CODEC = Codec(CommittedRegistry())


def a_record(run: str, number: int) -> bytes:
    return CODEC.encode(
        RejectedWebhook(
            provider=run,
            path=str(number),
            cause="unknown_path",
            headers={},
            digest=b"d" * 32,
            excerpt=b"",
            received_at=Micros(number),
        )
    )


async def _append(cluster: Cluster, run: str, bursts: Sequence[int]) -> None:
    """Append records in bursts of these sizes; wait for each burst half of the time."""
    appender, number = Appender(cluster), 0
    waiting = []
    for at, size in enumerate(bursts):
        for _ in range(size):
            value = a_record(run, number)
            waiting.append(appender.append(topics.REFUSALS.name, run, value, (run, number), deadline_s=30))
            number += 1
        if at % 2:
            await waiting[-1]
        else:
            await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    await appender.close(5)


def test_gathered_records_do_not_overtake_and_are_not_overtaken(system: dict[str, str]) -> None:
    chance, run = random.Random(7), new_order()  # noqa: S311
    bursts = [chance.choice((1, 1, FEW, FEW + 1, 20)) for _ in range(60)]
    cluster = Cluster(system["KAFKA_BOOTSTRAP_SERVERS"], "tests")

    with reading(system, topics.REFUSALS) as records:
        asyncio.run(_append(cluster, run, bursts))
        records.wait_until(lambda read: sum(record.provider == run for record in read) >= sum(bursts))

    found = [int(record.path) for record in records.records if record.provider == run]
    assert found == [*range(sum(bursts))]


async def _append_twice(cluster: Cluster, run: str) -> None:
    appender, value = Appender(cluster), a_record(run, 0)
    first, again = (appender.append(topics.REFUSALS.name, run, value, "one name", deadline_s=30) for _ in range(2))
    await asyncio.gather(first, again)
    await appender.append(topics.REFUSALS.name, run, a_record(run, 1), "another", deadline_s=30)
    await appender.close(5)


def test_what_is_on_its_way_under_one_name_is_sent_once_and_acknowledged_to_all(system: dict[str, str]) -> None:
    run = new_order()

    with reading(system, topics.REFUSALS) as records:
        asyncio.run(_append_twice(Cluster(system["KAFKA_BOOTSTRAP_SERVERS"], "tests"), run))
        records.wait_for(lambda record: (record.provider, record.path) == (run, "1"))

    assert [record.path for record in records.records if record.provider == run] == ["0", "1"]
