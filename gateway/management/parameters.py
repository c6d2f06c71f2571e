"""Reads the parameters of requests to the gateway's management API."""

from collections.abc import Mapping

from providers import catalogue
from runtime.management.parameters import malformed
from runtime.management.routes import RequestRefused
from stream.events import topics
from stream.kafka.position import Position

QUARANTINE_TOPICS = (topics.QUARANTINE.name, topics.UNVERIFIED.name)
MAX_RECORDS = 50


def provider(request: Mapping[str, object]) -> str:
    """Return the name of the provider in a request. Raises RequestRefused for a missing or unknown one."""
    name = request.get("provider")
    if not (isinstance(name, str) and name in catalogue.BY_NAME):
        raise RequestRefused(400, "unknown_provider", f"a provider is one of {', '.join(sorted(catalogue.BY_NAME))}")
    return name


def positions(request: Mapping[str, object]) -> list[Position]:
    """Return the 1 to MAX_RECORDS positions in a request to release. Raises RequestRefused if it is malformed."""
    records = request.get("records")
    is_valid = isinstance(request.get("dryRun", False), bool) and not request.keys() - {"records", "dryRun"}
    if not (is_valid and isinstance(records, list) and 0 < len(records) <= MAX_RECORDS):
        raise malformed(f'send {{"records": [1 to {MAX_RECORDS} positions], "dryRun": true or false}}')
    return [_position(record) for record in records]


def _position(fields: object) -> Position:
    match fields:
        case {"topic": str(topic), "partition": int(partition), "offset": int(offset), **rest} if (
            not rest and topic in QUARANTINE_TOPICS and 0 <= partition < topics.PARTITIONS and 0 <= offset < 2**63
        ):
            return Position(topic, partition, offset)
    raise malformed(f"a position has a topic ({' or '.join(QUARANTINE_TOPICS)}), a partition and an offset")
