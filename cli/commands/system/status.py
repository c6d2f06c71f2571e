"""`hookstream status`: prints health, lag and unfinished work of every service."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING

from cli import environment, output
from cli.output import Json
from local.messages import CommandError, print_error, say
from local.services import SERVICES
from runtime.confidential.urls import without_password
from runtime.json_value import JsonValue

if TYPE_CHECKING:
    from stream.kafka.cluster import Cluster

SHOWN = ("GATEWAY_URL", "CONSOLE_URL", "INBOX_URL", "KAFKA_BOOTSTRAP_SERVERS", "SCHEMA_REGISTRY_URL")
OUTBOX = "SELECT count(*)::text FROM outbox"
RETRYING = "SELECT count(*)::text FROM retries WHERE status = 'retrying'"
DEAD = "SELECT count(*)::text FROM retries WHERE status = 'dead'"
WAITING = "SELECT count(*)::text FROM inbox WHERE outcome = 'waiting'"
COLUMNS = {"in the outbox": OUTBOX, "waiting": WAITING, "retrying": RETRYING, "dead": DEAD}
MAILS = "SELECT count(*) || ' ' || status FROM notifications GROUP BY status ORDER BY status"
CELLS = ("records behind", *COLUMNS)
"""The headers of a store's row: its consumer lag, and the number that each query of COLUMNS gives."""
UNKNOWN = "?"
QUERY_S = 3.0
"""Seconds that a query may take: the command ends within 5 s even when a part hangs. Starting takes about 1 s."""
CONNECT_S = 2
MANAGED = {service.name: service.variable("MANAGEMENT_URL") for service in SERVICES}
DATABASES = {service.name: service.variable("DATABASE_URL") for service in SERVICES if service.store}
STORES = tuple(DATABASES)


def status(*, as_json: Json = False) -> None:
    """Show health, lag and unfinished work of each service; the exit code is 1 unless all answer and are ready."""
    env = environment.read()
    environment.require(env, "KAFKA_BOOTSTRAP_SERVERS", *MANAGED.values())
    results = _run_parallel(_queries(env))
    healths = {name: results.get(f"health of {name}", UNKNOWN) for name in MANAGED}
    lags, unknown = results.get("lags", {}), [UNKNOWN] * len(COLUMNS)
    rows = {name: [lags.get(name, UNKNOWN), *results.get(f"store of {name}", unknown)] for name in STORES}
    (mails,) = results.get("mails", [UNKNOWN])
    addresses = {name: without_password(env[name]) for name in SHOWN if env.get(name)}
    if as_json:
        services = [{"service": name, "health": healths[name], **_cells(rows.get(name))} for name in MANAGED]
        output.say_list("services", services, mails=_mails(mails), addresses=addresses)
    else:
        _show(healths, rows)
        say(f"mails: {mails or 'none yet'}")
        for name, address in addresses.items():
            say(f"{name}={address}")
    if unready := [name for name, health in healths.items() if health != "ready"]:
        raise CommandError(f"not ready: {', '.join(unready)}")
    if unknown_stores := [name for name, row in rows.items() if UNKNOWN in row]:
        unset = [variable for name in unknown_stores if not env.get(variable := DATABASES[name])]
        advice = f"; set {', '.join(unset)} here" if unset else ""
        raise CommandError(f"not known ({UNKNOWN}): {', '.join(unknown_stores)}{advice}")
    if mails == UNKNOWN:
        raise CommandError("not known: the number of mails")


def _show(healths: Mapping[str, str], rows: Mapping[str, Sequence[str]]) -> None:
    table = output.table("service", "health", *CELLS)
    for name in MANAGED:
        output.add(table, name, healths[name], *rows.get(name, [""] * len(CELLS)))
    output.show(table)


def _cells(row: Sequence[str] | None) -> dict[str, int | None]:
    """Return the numbers of a row by JSON name, None for an unknown one; empty for a service without a store."""
    named = zip(CELLS, row or (), strict=False)
    return {_name(title): int(text) if text.isdecimal() else None for title, text in named}


def _mails(text: str) -> dict[str, int] | None:
    """Return the number of mails by status; None when the notifier's store did not answer."""
    pairs = (part.partition(" ") for part in text.split(" · ") if part)
    return None if text == UNKNOWN else {status: int(count) for count, _, status in pairs}


def _name(title: str) -> str:
    first, *rest = title.removeprefix("in the ").split()
    return first + "".join(map(str.capitalize, rest))


def _queries(env: Mapping[str, str]) -> dict[str, Callable[[], JsonValue]]:
    from cli.clients import health

    cluster, stores = environment.cluster(env), {name: _store(env, name) for name in STORES}
    return {
        "lags": lambda: _lags(cluster),
        "mails": lambda: _select(stores["notifier"], [MAILS]),
        **{f"health of {name}": partial(health.check, env[url]) for name, url in MANAGED.items()},
        **{f"store of {name}": partial(_select, stores[name], list(COLUMNS.values())) for name in STORES},
    }


def _run_parallel(queries: Mapping[str, Callable[[], JsonValue]]) -> dict[str, JsonValue]:
    """Run queries in parallel; return the results that came within QUERY_S, without those that raised CommandError.

    Threads that hang end with the process.
    """
    results: dict[str, JsonValue] = {}

    def run(name: str, query: Callable[[], JsonValue]) -> None:
        with suppress(CommandError):
            results[name] = query()

    until = time.monotonic() + QUERY_S
    threads = [Thread(target=run, args=pair, daemon=True) for pair in queries.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return dict(results)


def _lags(cluster: "Cluster") -> dict[str, str]:
    from cli.clients.offsets import Kafka

    kafka = Kafka(cluster)
    try:
        ends = kafka.end_offsets()
    except CommandError as error:
        print_error(error)  # standard output may be JSON
        return {}
    lags = _run_parallel({name: partial(kafka.lag, name, ends) for name in STORES})
    return {name: str(lag) for name, lag in lags.items()}


def _store(env: Mapping[str, str], service: str) -> str | None:
    """Return how to connect to a service's store; None without its URL. Raises WrongSetting for one that is wrong."""
    from simulator.stores import url

    try:
        return url(env, service)
    except KeyError:
        return None


def _select(store: str | None, queries: Sequence[str]) -> list[str]:
    """Return a text for each query, its values joined by " · "; UNKNOWN for each without an answer or a store."""
    import psycopg

    if store is None:
        return [UNKNOWN] * len(queries)
    try:
        with psycopg.connect(store, connect_timeout=CONNECT_S) as connection:
            return [" · ".join(text for (text,) in connection.execute(query.encode())) for query in queries]
    except psycopg.Error:
        return [UNKNOWN] * len(queries)
