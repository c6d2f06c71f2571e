"""What a service's own command line can be asked of replays: `python -m processors.payment replay …`."""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import KafkaException
from sqlalchemy import exc

from runtime import gc_tuning, logging
from runtime.config.settings import StoreSettings
from runtime.plain_text import plain
from stream.replay import schema as place
from stream.replay.fill.ledger import Asked
from stream.replay.service import ReplayService
from stream.replay.spec import ReplayImpossible, ReplaySpec

VERBS = ("replay", "rebuild", "history")
SUBVERBS = ("diff", "promote", "rollback", "drop")
MOST_SHOWN = 20


def main(subject: ReplaySpec, settings: StoreSettings, words: Sequence[str]) -> None:
    """Do what these words ask; what cannot be done is a sentence on standard error, and exit code 1."""
    logging.configure(subject.service, "warning")  # it happened long ago: nobody should read of it as of news
    gc_tuning.collect_rarely()
    verb, *rest = words
    try:
        if verb != "replay":
            return _ACTIONS[verb](ReplayService(subject, settings), rest)
        if rest and rest[0] in SUBVERBS:
            return _ACTIONS[rest[0]](ReplayService(subject, settings), rest[1:])
        return _replay(ReplayService(subject, settings), rest)
    except ReplayImpossible as sentence:
        sys.exit(plain(str(sentence)))
    except (exc.SQLAlchemyError, KafkaException) as failure:
        cause = plain(str(getattr(failure, "orig", None) or failure))
        sys.exit(f"the replay stopped: {cause}; the same command goes on from here")


def _replay(desk: ReplayService, words: Sequence[str]) -> None:
    parser = _parser(desk, "")
    parser.add_argument("--into", required=True, metavar="NAME", help="the schema to fill, new or begun before")
    parser.add_argument(
        "--to", type=_instant, metavar="TIME", help="up to what was appended then, such as 2026-02-03T12:00Z"
    )
    parser.add_argument("--orders", type=_orders, default=(), metavar="A,B", help="only these, comma-separated")
    parser.add_argument("--retranslate", action="store_true", help="read the raw bodies with today's translators")
    parser.add_argument("--announce", action="store_true", help="publish the facts that nobody was told")
    said = parser.parse_args(words)
    if said.announce and said.to:
        parser.error("--announce with --to: what was true then may not be so any more")
    desk.replay(Asked(desk.subject.service, said.into, said.to, said.orders, said.retranslate))
    if said.announce:
        _say(f"announced {desk.announce(said.into)} facts")
    service = desk.subject.service
    _say(f"{service} is replayed into {said.into}; see `hookstream replay diff {service} {said.into}`")


def _diff(desk: ReplayService, words: Sequence[str]) -> None:
    parser = _parser(desk, "diff")
    parser.add_argument("name")
    parser.add_argument("--limit", type=int, default=MOST_SHOWN, help="show so many differing rows")
    said = parser.parse_args(words)
    found, owed = desk.difference(said.name, said.limit)
    for table in found.tables:
        mark = "equal" if table.is_equal else f"DIFFERS: live {table.live[0]} rows, {said.name} {table.new[0]} rows"
        _say(f"{table.name:24} {table.live[0]:>9} rows  {mark}")
    for row in found.rows:
        _say(f"{row.table} {row.key}\n  live   {_json(row.live)}\n  replay {_json(row.new)}")
    for one in found.rescued:
        _say(f"abandoned by live, {one.outcome} here: {one.event_id} {one.stood} {one.error}")
    for fact in owed[: said.limit]:
        _say(f"owed: {fact.kind} {fact.fact_id} of {(fact.key or b'').decode(errors='replace')}")
    _say(f"{len(found.rescued)} rescued, {len(owed)} facts owed")


def _promote(desk: ReplayService, words: Sequence[str]) -> None:
    parser = _parser(desk, "promote")
    parser.add_argument("name")
    parser.add_argument("--announce", action="store_true", help="publish the facts that nobody was told")
    said = parser.parse_args(words)
    desk.promote(said.name)
    back = f"`hookstream replay rollback {desk.subject.service}`"
    _say(f"{said.name} is live; what it replaced is {desk.before}, {back} puts it back")
    if said.announce:
        _say(f"announced {desk.announce(place.live(desk.live))} facts")


def _rollback(desk: ReplayService, words: Sequence[str]) -> None:
    _parser(desk, "rollback").parse_args(words)
    _say(f"what was live before is live again; what was promoted is {desk.rollback()}")


def _rebuild(desk: ReplayService, words: Sequence[str]) -> None:
    parser = _parser(desk, "rebuild")
    parser.add_argument("--announce", action="store_true", help="publish the facts that nobody was told")
    said = parser.parse_args(words)
    desk.rebuild()
    _say(f"the store of {desk.subject.service} is back")
    if said.announce:
        _say(f"announced {desk.announce(place.live(desk.live))} facts")


def _history(desk: ReplayService, words: Sequence[str]) -> None:
    parser = _parser(desk, "history")
    parser.add_argument("order")
    parser.add_argument("--at", type=_instant, metavar="TIME", help="as it was then, such as 2026-02-03T12:00Z")
    said = parser.parse_args(words)
    rows = desk.history(said.order, said.at)
    for table, row in rows:
        _say(f"{table}: {_json(row)}")
    if not rows:
        _say("the topics tell nothing of it")


def _drop(desk: ReplayService, words: Sequence[str]) -> None:
    parser = _parser(desk, "drop")
    parser.add_argument("name")
    said = parser.parse_args(words)
    desk.drop(said.name)
    _say(f"{said.name} is gone")


_ACTIONS = {
    "diff": _diff,
    "promote": _promote,
    "rollback": _rollback,
    "drop": _drop,
    "rebuild": _rebuild,
    "history": _history,
}


def _parser(desk: ReplayService, verb: str) -> argparse.ArgumentParser:
    words = verb if verb in VERBS else f"replay {verb}".rstrip()
    return argparse.ArgumentParser(prog=f"python -m {desk.subject.package} {words}", allow_abbrev=False)


def _orders(said: str) -> tuple[str, ...]:
    """None at all is a slip, and not a wish for all of them."""
    orders = tuple(sorted({one.strip() for one in said.split(",")} - {""}))
    if not orders:
        raise argparse.ArgumentTypeError("it names no order; leave it out for all of them")
    return orders


def _instant(said: str) -> datetime:
    try:
        moment = datetime.fromisoformat(said)
    except ValueError as unclear:
        raise argparse.ArgumentTypeError(f"{said} is no time, such as 2026-02-03T12:00Z") from unclear
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _json(row: dict[str, Any] | None) -> str:
    return "no such row" if row is None else json.dumps(row, ensure_ascii=False)


def _say(line: str) -> None:
    sys.stdout.write(f"{plain(line)}\n")
    sys.stdout.flush()
