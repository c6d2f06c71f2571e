"""Fills a schema from the topics by the service's own handler; each batch notes its place in its own transaction."""

from collections.abc import Callable, Mapping, Sequence

from confluent_kafka import Message
from sqlalchemy import Connection, Engine

from runtime.settings import StoreSettings
from stream import batch, delivery, events, inbox, isolation, outbox, parked, retrying
from stream.batch import Applied
from stream.codec import Codec, Undecodable
from stream.delivery import Delivery, Unreadable
from stream.events import Record
from stream.isolation import BatchFailed
from stream.ownership import Partition
from stream.registry import registry
from stream.replay import ends, hearing, ledger
from stream.replay.ends import Span
from stream.replay.hearing import Unspoken
from stream.replay.ledger import Asked, Run
from stream.replay.reading import Reading
from stream.replay.subject import Impossible, Subject

BATCH = 2000
MOST_RETRIED = 500
Moved = Callable[[Mapping[Partition, int]], None]

# As long ago as the record was appended: so it waits no longer than it did for the live service.
SINCE = """
UPDATE inbox SET handled_at = to_timestamp(since.ms / 1e3)
  FROM unnest(%(ids)b::text[]::uuid[], %(times)b::bigint[]) AS since (event_id, ms)
 WHERE inbox.event_id = since.event_id
"""
HURRY = "UPDATE parked SET next_attempt_at = now() WHERE status = 'retrying'"
KNOW_ALIASES = """
INSERT INTO inbox (event_id, digest, topic, partition, "offset", outcome)
SELECT event_id, digest, topic, partition, "offset", 'processed' FROM replay_aliases ON CONFLICT DO NOTHING
"""


class Replay:
    """One service's store, rebuilt in the schema that `store` finds; `moved` hears of every step."""

    def __init__(self, subject: Subject, settings: StoreSettings, store: Engine, moved: Moved = lambda _: None) -> None:
        self._subject = subject
        self._settings = settings
        self._store = store
        self.moved = moved
        self._is_live = False
        self._renamed: dict[str, tuple[str, bytes]] = {}
        self._known = Codec(registry(settings.schema_registry_url))
        self._codec = self._known

    def begin(self, asked: Asked, most: Mapping[Partition, int] | None = None) -> Run:
        """Note what is asked and where the topics end, or go on with what was begun; `most` may let some end sooner.

        Raises Impossible when something else was asked of this schema before.
        """
        to_ms = int(asked.to_time.timestamp() * 1000) if asked.to_time else None
        brokers, subject = self._settings.kafka_bootstrap_servers, self._subject
        source = ends.spans(brokers, (*subject.topics, *subject.beside), to_ms)
        source = {where: Span(one.first, (most or {}).get(where, one.end)) for where, one in source.items()}
        told = ends.spans(brokers, subject.announces)
        with self._store.begin() as tx:
            begun = ledger.begin(tx, asked)
            if begun.asked != asked:
                raise Impossible(f"{asked.name} holds another replay ({_words(begun.asked)}): drop it, or name another")
            if not ledger.places(tx, "source"):
                ledger.extend(tx, "source", source)
                ledger.extend(tx, "told", told) if told else None
        self._obey(begun.asked)
        return begun

    def resume(self) -> Run:
        """Go on with what was begun in this schema."""
        with self._store.begin() as tx:
            begun = ledger.run(tx)
        self._obey(begun.asked)
        return begun

    def places(self) -> dict[Partition, Span]:
        """What is still to be read of each partition."""
        with self._store.begin() as tx:
            return ledger.places(tx, "source")

    def go_to(self, positions: Mapping[Partition, int]) -> None:
        """Replay up to these offsets, then whatever failed on the way."""
        with self._store.begin() as tx:
            ledger.extend(tx, "source", {where: Span(0, offset) for where, offset in positions.items()})
        self.run()

    def live_on(self) -> None:
        """Replay to the topics' ends what the live service has not been through: what follows from it is to be told."""
        self._is_live = True
        subject = self._subject
        found = ends.spans(self._settings.kafka_bootstrap_servers, (*subject.topics, *subject.beside))
        self.go_to({where: span.end for where, span in found.items()})

    def run(self) -> None:
        """Replay up to the ends that were noted, then whatever failed on the way; what is owed is known after it."""
        self.hear()
        spans = {where: span for where, span in self.places().items() if span.first < span.end}
        with Reading(self._settings.kafka_bootstrap_servers, spans) as reading:
            while messages := reading.take(BATCH):
                self._apply(messages)
        with self._store.begin() as tx:  # records may be missing at the end, such as those that were too old
            ledger.move(tx, "source", {where: span.end for where, span in ledger.places(tx, "source").items()})
        if self._is_live:  # what failed is tried again by the service itself
            return
        while self._retry():
            pass
        self._end()

    def hear(self) -> None:
        """Note which facts stand on the service's own topics by now."""
        if not self._subject.announces:
            return
        found = ends.spans(self._settings.kafka_bootstrap_servers, self._subject.announces)
        with self._store.begin() as tx:
            ledger.extend(tx, "told", found)
            hearing.read_told(tx, self._settings.kafka_bootstrap_servers, self._known)

    def _end(self) -> None:
        with self._store.begin() as tx:
            inbox.overdue(tx, list(ledger.places(tx, "source")), self._settings.wait_limit_s)
            tx.exec_driver_sql(KNOW_ALIASES)
            self._subject.settle(tx)
            ledger.finish(tx)
        self.hear()

    def _apply(self, messages: Sequence[Message]) -> None:
        deliveries = [delivery.read(self._codec, message) for message in messages]
        appended = {one.event_id: message.timestamp()[1] for one, message in zip(deliveries, messages, strict=True)}
        ours = [one for one in deliveries if self._concerns(one)]
        try:
            self._commit(deliveries, ours, appended, isolation.together)
        except BatchFailed:
            self._commit(deliveries, ours, appended, isolation.in_parts)
        self._renamed.clear()
        self.moved(delivery.ends(deliveries))

    def _commit(
        self,
        deliveries: Sequence[Delivery],
        ours: Sequence[Delivery],
        appended: Mapping[str, int],
        run: isolation.Runner,
    ) -> None:
        unspoken = Unspoken()
        with self._store.begin() as tx:
            wait_s = self._settings.retry_first_s
            applied = batch.apply(tx, ours, self._subject.handler, unspoken, run, wait_s) if ours else Applied()
            waiting = [one.delivery.event_id for one in applied.outcomes if one.outcome == "waiting"]
            if waiting:
                tx.exec_driver_sql(SINCE, {"ids": waiting, "times": [appended[one] for one in waiting]})
            self._remember(tx, ours, unspoken)
            ledger.move(tx, "source", delivery.ends(deliveries))

    def _remember(self, tx: Connection, ours: Sequence[Delivery], unspoken: Unspoken) -> None:
        owed = hearing.owed(tx, unspoken, self._subject, self._known)
        if self._is_live:
            outbox.insert(tx, [one.message for one in owed])
        else:
            ledger.owe(tx, owed)
        renamed = [(self._renamed[one.event_id], one) for one in ours if one.event_id in self._renamed]
        ledger.alias(tx, [(*before, one.topic, one.partition, one.offset) for before, one in renamed])

    def _retry(self) -> bool:
        """Try again what failed, as often as the live service would; whether there was anything."""
        unspoken = Unspoken()
        with self._store.begin() as tx:
            tx.exec_driver_sql(HURRY)
            due = parked.due(tx, list(ledger.places(tx, "source")), MOST_RETRIED)
            retrying.retry(tx, due, self._codec, self._subject.handler, unspoken, retrying.count, 0.001)
            ledger.owe(tx, hearing.owed(tx, unspoken, self._subject, self._known))
        return bool(due)

    def _obey(self, asked: Asked) -> None:
        self._orders = frozenset(asked.orders)
        if asked.retranslate:
            self._codec = Codec(registry(self._settings.schema_registry_url), self._reread)

    def _reread(self, record: Record) -> Record:
        try:
            again = self._subject.reread(record)
        except Exception as refused:
            raise Undecodable(f"today's translator refuses it: {type(refused).__name__}: {refused}") from refused
        if isinstance(again, events.Webhook) and isinstance(record, events.Webhook):
            before, after = record.envelope, again.envelope
            if type(again) is not type(record):
                raise Undecodable(f"today's translator makes a {type(again).__name__} of it")
            if after.event_id != before.event_id:
                self._renamed[after.event_id] = (before.event_id, before.digest)
        return again

    def _concerns(self, one: Delivery) -> bool:
        """Whether a record matters to the service, and is of the orders that the replay is limited to."""
        if not isinstance(one.event, Unreadable) and not self._subject.heeds(one.event):
            return False
        if not self._orders:
            return True
        named = getattr(one.event, "notice", one.event)
        key = (one.key or b"").decode(errors="replace")
        return key in self._orders or getattr(named, "order_id", None) in self._orders


def _words(asked: Asked) -> str:
    parts = [f"--to {asked.to_time.isoformat()}" if asked.to_time else "", "--retranslate" if asked.retranslate else ""]
    orders = f"--orders {','.join(asked.orders)}" if asked.orders else ""
    return " ".join(filter(None, [*parts, orders])) or "of everything"
