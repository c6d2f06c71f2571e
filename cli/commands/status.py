"""`hookstream status`: what runs, what waits, and where to look."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any

from cli import environment, output
from local.messages import Trouble, say, without_password
from local.services import SERVICES

if TYPE_CHECKING:
    from stream.kafka.client_config import Cluster

SHOWN = ("GATEWAY_URL", "CONSOLE_URL", "INBOX_URL", "KAFKA_BOOTSTRAP_SERVERS", "SCHEMA_REGISTRY_URL")
OUTBOX = "SELECT count(*)::text FROM outbox"
FAILING = "SELECT count(*)::text FROM parked WHERE status = 'retrying'"
DEAD = "SELECT count(*)::text FROM parked WHERE status = 'abandoned'"
WAITING = "SELECT count(*)::text FROM inbox WHERE outcome = 'waiting'"
COLUMNS = {"in the outbox": OUTBOX, "waiting": WAITING, "failing": FAILING, "given up": DEAD}
MAILS = "SELECT count(*) || ' ' || status FROM notifications GROUP BY status ORDER BY status"
AWAY = "?"
ANSWERS_S = 3.0
"""Seconds that one question may take, so that the command ends within 5 s whatever hangs; its start takes about one."""
CONNECTS_S = 2
WIDE = 120
MANAGED = {service.name: service.variable("MANAGEMENT_URL") for service in SERVICES}
STORES = tuple(service.name for service in SERVICES if service.store)


def status() -> None:
    """Show how each service is, how far behind, and what is not done; exit code 1 unless all is known and ready."""
    env = environment.read()
    environment.need(env, "KAFKA_BOOTSTRAP_SERVERS", *MANAGED.values())
    answers = _at_once(_questions(env))
    healths = {name: answers.get(f"health of {name}", AWAY) for name in MANAGED}
    lags, unknown = answers.get("lags", {}), [AWAY] * len(COLUMNS)
    rows = {name: [lags.get(name, AWAY), *answers.get(f"store of {name}", unknown)] for name in STORES}
    (mails,) = answers.get("mails", [AWAY])
    _show(healths, rows)
    say(f"mails: {mails or 'none yet'}")
    for name in SHOWN:
        if env.get(name):
            say(f"{name}={without_password(env[name])}")
    if unready := [name for name, said in healths.items() if said != "ready"]:
        raise Trouble(f"not ready: {', '.join(unready)}")
    if unanswered := [name for name, row in rows.items() if AWAY in row]:
        raise Trouble(f"not known ({AWAY}): {', '.join(unanswered)}")
    if mails == AWAY:
        raise Trouble("not known: how many mails there are")


def _show(healths: Mapping[str, str], rows: Mapping[str, Sequence[str]]) -> None:
    table = output.table("service", "health", "records behind", *COLUMNS)
    for name in MANAGED:
        output.add(table, name, healths[name], *rows.get(name, []))
    output.show(table, WIDE)


def _questions(env: Mapping[str, str]) -> dict[str, Callable[[], Any]]:
    from cli.clients import health

    cluster = environment.cluster(env)
    return {
        "lags": lambda: _lags(cluster),
        "mails": lambda: _ask(env, "notifier", [MAILS]),
        **{f"health of {name}": partial(health.of, env[url]) for name, url in MANAGED.items()},
        **{f"store of {name}": partial(_ask, env, name, list(COLUMNS.values())) for name in STORES},
    }


def _at_once(asked: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """The answers that came in time; a question that hangs is left alone, and ends with the process."""
    answers: dict[str, Any] = {}

    def ask(name: str, question: Callable[[], Any]) -> None:
        with suppress(Trouble):
            answers[name] = question()

    until = time.monotonic() + ANSWERS_S
    threads = [Thread(target=ask, args=pair, daemon=True) for pair in asked.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return dict(answers)


def _lags(cluster: "Cluster") -> dict[str, str]:
    from cli.clients.offsets import Kafka

    kafka = Kafka(cluster)
    try:
        ends = kafka.ends()
    except Trouble as trouble:
        say(str(trouble))
        return {}
    lags = _at_once({name: partial(kafka.lag, name, ends) for name in STORES})
    return {name: str(lag) for name, lag in lags.items()}


def _ask(env: Mapping[str, str], service: str, questions: Sequence[str]) -> list[str]:
    """The texts that each query gives; AWAY when the store does not answer."""
    import psycopg

    from simulator.stores import url

    try:
        with psycopg.connect(url(env, service), connect_timeout=CONNECTS_S) as connection:
            return [" · ".join(text for (text,) in connection.execute(one.encode())) for one in questions]
    except psycopg.Error:
        return [AWAY] * len(questions)
