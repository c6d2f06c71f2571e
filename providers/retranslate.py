"""Translates a webhook once more from its bytes, as its provider's module reads them today."""

from providers import catalogue
from providers.contract import Received
from providers.records import webhook
from stream.events import Record, Webhook


def retranslate(record: Record) -> Record:
    """The record that these bytes would become today; a record that is no translation of its bytes stays as it is.

    What a provider's API confirmed is its answer to a question that the record does not hold: it stays too.
    Raises Refused when today's translator refuses the bytes, KeyError when nobody posts to its path any more.
    """
    if not isinstance(record, Webhook) or record.envelope.verification == "confirmed":
        return record
    envelope = record.envelope
    provider, kind = catalogue.find(envelope.path, envelope.headers)
    received = Received(envelope.path, envelope.headers, envelope.raw, envelope.received_at)
    unsigned = provider.translate_unsigned if envelope.verification == "unsigned_allowed" else None
    told = (unsigned or provider.translate)(received, kind)
    return webhook(provider, received, envelope.verification, told, envelope.mode).webhook
