"""The replay commands of a service: `python -m processors.payment replay …`."""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from confluent_kafka import KafkaException
from sqlalchemy import exc

from runtime import gc_tuning, logging
from runtime.config.worker_settings import WorkerSettings
from runtime.plain_text import counted, plain
from stream.replay import schema
from stream.replay.fill.ledger import ReplayRequest
from stream.replay.service import ReplayService
from stream.replay.spec import ReplayImpossible, ReplaySpec

VERBS = ("replay", "rebuild", "history")
SUBVERBS = ("diff", "promote", "rollback", "drop")
ROWS_SHOWN = 20
"""The default of `diff --limit`."""
NO_RECORD = 3
"""The exit code of `history` of an order of which the topics have no record for the service."""
PUBLISH_HELP = "publish the domain events that are on no topic"


def main(spec: ReplaySpec, settings: WorkerSettings, words: Sequence[str]) -> None:
    """Execute a command line that begins with one of VERBS.

    Exits with code 1 and a sentence on standard error when the command is impossible or fails, with code 2 for wrong
    options, with NO_RECORD for the history of an order without records. Raises RegistryError when a remote
    schema registry fails.
    """
    logging.configure(spec.service, "warning")  # the replayed events are old: log lines about them would look new
    gc_tuning.collect_rarely()
    verb, *rest = words
    try:
        if verb != "replay":
            return _ACTIONS[verb](ReplayService(spec, settings), rest)
        if rest and rest[0] in SUBVERBS:
            return _ACTIONS[rest[0]](ReplayService(spec, settings), rest[1:])
        return _replay(ReplayService(spec, settings), rest)
    except ReplayImpossible as impossible:
        sys.exit(plain(str(impossible)))
    except (exc.SQLAlchemyError, KafkaException) as failure:
        cause = plain(str(getattr(failure, "orig", None) or failure))
        sys.exit(f"the replay stopped: {cause}; run the same command again to resume it")


def _replay(service: ReplayService, words: Sequence[str]) -> None:
    parser = _parser(service, "")
    parser.add_argument("--into", required=True, metavar="NAME", help="the schema to fill: a new one, or one to resume")
    parser.add_argument(
        "--to", type=_instant, metavar="TIME", help="replay records appended up to then, such as 2026-02-03T12:00Z"
    )
    parser.add_argument("--orders", type=_orders, default=(), metavar="A,B", help="replay only these orders")
    parser.add_argument("--retranslate", action="store_true", help="translate the raw bodies with the current code")
    parser.add_argument("--publish", action="store_true", help=PUBLISH_HELP)
    options = parser.parse_args(words)
    if options.publish and options.to:
        parser.error("--publish cannot be used with --to: the state at that time may have changed since")
    service.replay(ReplayRequest(service.spec.service, options.into, options.to, options.orders, options.retranslate))
    if options.publish:
        _publish_owed(service, options.into)
    name = service.spec.service
    _print(f"{name} is replayed into {options.into}; see `hookstream replay diff {name} {options.into}`")


def _diff(service: ReplayService, words: Sequence[str]) -> None:
    parser = _parser(service, "diff")
    parser.add_argument("name")
    parser.add_argument("--limit", type=int, default=ROWS_SHOWN, help="the most differing rows and owed events to show")
    options = parser.parse_args(words)
    found, owed = service.difference(options.name, options.limit)
    for table in found.tables:
        mark = "equal" if table.is_equal else f"DIFFERS: live {table.live[0]} rows, {options.name} {table.new[0]} rows"
        _print(f"{table.name:24} {table.live[0]:>9} rows  {mark}")
    for row in found.rows:
        _print(f"{row.table} {row.key}\n  live   {_json(row.live)}\n  replay {_json(row.new)}")
    for rescued in found.rescued:
        _print(f"dead in live, {rescued.outcome} here: {rescued.event_id} {rescued.location} {rescued.error}")
    for event in owed[: options.limit]:
        _print(f"owed: {event.kind} {event.event_id} of {(event.key or b'').decode(errors='replace')}")
    _print(f"{len(found.rescued)} rescued, {counted(len(owed), 'domain event')} owed")


def _promote(service: ReplayService, words: Sequence[str]) -> None:
    parser = _parser(service, "promote")
    parser.add_argument("name")
    parser.add_argument("--publish", action="store_true", help=PUBLISH_HELP)
    options = parser.parse_args(words)
    service.promote(options.name)
    back = f"`hookstream replay rollback {service.spec.service}`"
    _print(f"{options.name} is live; the previous schema is {service.retired_name}, {back} restores it")
    if options.publish:
        _publish_owed(service, schema.live_name(service.live))


def _rollback(service: ReplayService, words: Sequence[str]) -> None:
    _parser(service, "rollback").parse_args(words)
    _print(f"the previous schema is live again; the promoted schema is {service.rollback()}")


def _rebuild(service: ReplayService, words: Sequence[str]) -> None:
    parser = _parser(service, "rebuild")
    parser.add_argument("--publish", action="store_true", help=PUBLISH_HELP)
    options = parser.parse_args(words)
    service.rebuild()
    _print(f"the store of {service.spec.service} is rebuilt")
    if options.publish:
        _publish_owed(service, schema.live_name(service.live))


def _history(service: ReplayService, words: Sequence[str]) -> None:
    parser = _parser(service, "history")
    parser.add_argument("order")
    parser.add_argument("--at", type=_instant, metavar="TIME", help="the state at that time: 2026-02-03T12:00Z")
    options = parser.parse_args(words)
    rows = service.history(options.order, options.at)
    for table, row in rows:
        _print(f"{table}: {_json(row)}")
    if not rows:
        _print("the topics have no record of this order")
        sys.exit(NO_RECORD)


def _drop(service: ReplayService, words: Sequence[str]) -> None:
    parser = _parser(service, "drop")
    parser.add_argument("name")
    options = parser.parse_args(words)
    service.drop(options.name)
    _print(f"{options.name} is dropped")


_ACTIONS = {
    "diff": _diff,
    "promote": _promote,
    "rollback": _rollback,
    "drop": _drop,
    "rebuild": _rebuild,
    "history": _history,
}


def _publish_owed(service: ReplayService, name: str) -> None:
    _print(f"published {counted(service.publish_owed(name), 'domain event')}")


def _parser(service: ReplayService, verb: str) -> argparse.ArgumentParser:
    words = verb if verb in VERBS else f"replay {verb}".rstrip()
    return argparse.ArgumentParser(prog=f"python -m {service.spec.package} {words}", allow_abbrev=False)


def _orders(text: str) -> tuple[str, ...]:
    """Return the distinct orders of a comma-separated list, sorted.

    Raises ArgumentTypeError for an empty list: it is a mistake, and does not select all orders.
    """
    orders = tuple(sorted({order.strip() for order in text.split(",")} - {""}))
    if not orders:
        raise argparse.ArgumentTypeError("it names no order; omit the option to replay all orders")
    return orders


def _instant(text: str) -> datetime:
    """Return the time in `text` with its zone, UTC if it has none. Raises ArgumentTypeError for any other text."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as invalid:
        raise argparse.ArgumentTypeError(f"{text} is not a time, such as 2026-02-03T12:00Z") from invalid
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _json(row: dict[str, object] | None) -> str:
    return "no such row" if row is None else json.dumps(row, ensure_ascii=False)


def _print(line: str) -> None:
    sys.stdout.write(f"{plain(line)}\n")
    sys.stdout.flush()
