"""`hookstream status`: what runs, what waits, and where to look."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cli import environment, output
from local.services import SERVICES
from local.telling import Trouble, say

if TYPE_CHECKING:
    from stream.client_config import Cluster

SHOWN = ("GATEWAY_URL", "CONSOLE_URL", "INBOX_URL", "KAFKA_BOOTSTRAP_SERVERS", "SCHEMA_REGISTRY_URL")
OUTBOX = "SELECT count(*)::text FROM outbox"
FAILING = "SELECT count(*)::text FROM parked WHERE status = 'retrying'"
DEAD = "SELECT count(*)::text FROM parked WHERE status = 'abandoned'"
WAITING = "SELECT count(*)::text FROM inbox WHERE outcome = 'waiting'"
COLUMNS = {"in the outbox": OUTBOX, "waiting": WAITING, "failing": FAILING, "given up": DEAD}
MAILS = "SELECT count(*) || ' ' || status FROM notifications GROUP BY status ORDER BY status"
AWAY = "?"
WIDE = 120
MANAGED = {service.name: service.variable("MANAGEMENT_URL") for service in SERVICES}
STORES = tuple(service.name for service in SERVICES if service.store)


def status() -> None:
    """Show how each service is, how far it is behind, and what is not done; exit code 1 unless all are ready."""
    from cli import health

    env = environment.read()
    environment.need(env, "KAFKA_BOOTSTRAP_SERVERS", *MANAGED.values())
    behind = _lags(environment.cluster(env))
    healths = {name: health.of(env[url]) for name, url in MANAGED.items()}
    table = output.table("service", "health", "records behind", *COLUMNS)
    for name in MANAGED:
        stored = [_ask(env, name, question) for question in COLUMNS.values()] if name in STORES else []
        output.add(table, name, healths[name], *([behind.get(name, AWAY), *stored] if stored else []))
    output.show(table, WIDE)
    say(f"mails: {_ask(env, 'notifier', MAILS) or 'none yet'}")
    for name in SHOWN:
        if env.get(name):
            say(f"{name}={env[name]}")
    unready = [name for name, said in healths.items() if said != "ready"]
    if unready:
        raise Trouble(f"not ready: {', '.join(unready)}")


def _lags(cluster: "Cluster") -> dict[str, str]:
    from cli.offsets import Kafka

    kafka = Kafka(cluster)
    try:
        ends = kafka.ends()
        return {name: str(kafka.lag(name, ends)) for name in STORES}
    except Trouble as trouble:
        say(str(trouble))
        return {}


def _ask(env: Mapping[str, str], service: str, question: str) -> str:
    """The texts a query gives; AWAY when the store does not answer."""
    import psycopg

    from simulator.stores import url

    try:
        with psycopg.connect(url(env, service), connect_timeout=3) as connection:
            return " · ".join(text for (text,) in connection.execute(question.encode()))
    except psycopg.Error:
        return AWAY
