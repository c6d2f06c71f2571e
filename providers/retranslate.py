"""Translates a stored webhook again from its bytes, with the provider's current module."""

from providers import catalogue
from providers.contract import Received
from providers.records import webhook_record
from stream.events import Record, Webhook


def retranslate(record: Record) -> Record:
    """Return the record that a webhook's bytes become today. Other records are returned unchanged.

    Confirmed events are too: their bytes are an API response, and they do not hold the verification request for it.
    Raises RefusedWebhook if the current module refuses the bytes, KeyError if nothing is posted to the path any more.
    """
    if not isinstance(record, Webhook) or record.envelope.verification == "confirmed":
        return record
    envelope = record.envelope
    provider, kind = catalogue.find(envelope.path, envelope.headers)
    received = Received(envelope.path, envelope.headers, envelope.raw, envelope.received_at)
    unsigned = provider.translate_unsigned if envelope.verification == "unsigned_allowed" else None
    translation = (unsigned or provider.translate)(received, kind)
    return webhook_record(provider, received, envelope.verification, translation, envelope.mode).webhook
