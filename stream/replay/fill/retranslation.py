"""Translates webhooks again, as today's code does, while a replay decodes them."""

from collections.abc import Callable, Iterator, Sequence

from stream import events
from stream.avro.codec import Undecodable
from stream.events import EventId, Record
from stream.kafka.delivery import Delivery


class Retranslation:
    """Translates records by `translate`, and remembers which webhooks have another event id since."""

    def __init__(self, translate: Callable[[Record], Record]) -> None:
        self._translate = translate
        self._renamed: dict[EventId, tuple[EventId, bytes]] = {}

    def apply(self, record: Record) -> Record:
        """Return the record as it is translated today. Raises Undecodable if it is refused, or becomes another type."""
        try:
            translated = self._translate(record)
        except Exception as refused:
            raise Undecodable(f"the current translator refuses it: {type(refused).__name__}: {refused}") from refused
        if isinstance(translated, events.Webhook) and isinstance(record, events.Webhook):
            before, after = record.envelope, translated.envelope
            if type(translated) is not type(record):
                raise Undecodable(f"the current translator makes a {type(translated).__name__} of it")
            if after.event_id != before.event_id:
                self._renamed[after.event_id] = (before.event_id, before.digest)
        return translated

    def renamed(self, deliveries: Sequence[Delivery]) -> Iterator[tuple[EventId, bytes, str, int, int]]:
        """Yield the former event id and digest, and the position, of those deliveries that have another id since.

        These are rows for `ledger.add_aliases`.
        """
        for read in deliveries:
            if read.event_id in self._renamed:
                yield (*self._renamed[read.event_id], read.topic, read.partition, read.offset)

    def forget(self) -> None:
        """Forget the former ids, which are needed only until their batch is committed."""
        self._renamed.clear()
