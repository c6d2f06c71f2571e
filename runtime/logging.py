"""Log lines as JSON with an allow-list of fields: ids, never bodies, secrets, signatures or card numbers."""

import logging
import sys
from typing import Any

import msgspec
import structlog

FIELDS = frozenset(
    "event level timestamp service id type cause to error attempt count topic partition offset order_id payment_id "
    "status session_id payment_status provider path signal port url seconds exception settings store".split()
)
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def _only_allowed(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {name: value for name, value in event.items() if name in FIELDS}


def _naming(service: str) -> structlog.typing.Processor:
    """Return a processor that names the service; context variables would do so in one thread only."""

    def name(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return event if "service" in event else {**event, "service": service}

    return name


def _encode(event: Any, **_: Any) -> bytes:
    return msgspec.json.encode(event)


def configure(service: str, level: str) -> None:
    """Write this process's log to standard error, each line naming the service."""
    structlog.configure(
        processors=[
            _naming(service),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _only_allowed,
            structlog.processors.JSONRenderer(serializer=_encode),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )


log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
