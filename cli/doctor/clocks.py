"""Compares clocks: this machine's with Postgres's and the gateway's, and the brokers' with the gateway's.

Kafka has no request for its time. A record of a webhook has two times: the broker's of its append, and the gateway's
of its receipt. Their difference is the skew plus the delay. The smallest difference of many records has the smallest
delay, so it is close to the skew.
"""

import http.client
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime

import psycopg

from cli import environment
from cli.doctor.finding import Finding, ok, skipped, wrong
from local.services import SERVICES
from runtime.confidential import urls
from runtime.confidential.wrong_setting import WrongSetting
from simulator.stores import url
from stream.avro.codec import Codec
from stream.dead_letters import record_view
from stream.events import RejectedWebhook, Webhook, topics
from stream.kafka import topic_reader

MAX_SKEW_S = 2.0
"""The skew in seconds from which clocks are wrong. Signed times are accepted within minutes, so 2 s harm nothing."""
HTTP_S = 1.0
"""The resolution of an HTTP Date, in seconds."""
RECORDS = 50
"""The newest records of each partition whose times are compared."""
REMEDY = "Synchronise the clocks of all machines (chrony, systemd-timesyncd)."


def check(env: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding for the clocks of Postgres, the gateway and the brokers each; `skipped` for an unread one."""
    yield _postgres(env)
    yield _gateway(env)
    yield _brokers(env)


def _postgres(env: Mapping[str, str]) -> Finding:
    store = next(
        (service.name for service in SERVICES if service.store and env.get(service.variable("DATABASE_URL"))), ""
    )
    try:
        with psycopg.connect(url(env, store), connect_timeout=3) as connection:
            connection.execute("SELECT 1")
            before = time.time()
            row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
            after = time.time()
    except (psycopg.Error, KeyError, WrongSetting):
        return skipped("clocks", "Postgres", "no store answers", "See the databases above.")
    skew = row[0] - (before + after) / 2 if row else 0.0
    return _finding("Postgres", "this machine", skew, (after - before) / 2)


def _gateway(env: Mapping[str, str]) -> Finding:
    try:
        address = urls.split(env.get("GATEWAY_MANAGEMENT_URL", ""))
    except WrongSetting as wrong:
        return skipped("clocks", "gateway", "it does not answer", f"Correct GATEWAY_MANAGEMENT_URL: {wrong}.")
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=3)
    try:
        before = time.time()
        connection.request("GET", f"{address.path.rstrip('/')}/health/live")
        date = connection.getresponse().getheader("Date", "")
        after = time.time()
        # The header has whole seconds, so on average the time is half a second later.
        skew = parsedate_to_datetime(date).timestamp() + HTTP_S / 2 - (before + after) / 2
    except (OSError, http.client.HTTPException, ValueError):
        return skipped("clocks", "gateway", "it does not answer", "Start it, or set GATEWAY_MANAGEMENT_URL.")
    finally:
        connection.close()
    return _finding("gateway", "this machine", skew, HTTP_S / 2 + (after - before) / 2)


def _brokers(env: Mapping[str, str]) -> Finding:
    cluster, codec = environment.cluster(env), Codec(environment.registry(env))
    try:
        messages, _ = topic_reader.read_last(cluster, [*topics.WEBHOOKS[:4], topics.ORDERS, topics.REFUSALS], RECORDS)
    except topic_reader.KafkaUnavailable:
        return skipped("clocks", "brokers", "Kafka does not answer", "See the brokers above.")
    received = [
        (message.timestamp()[1] / 1000, at / 1_000_000)
        for message in messages
        if (at := _received_at(codec, message.value())) is not None
    ]
    if not received:
        return skipped("clocks", "brokers", "no webhook has been received yet", "Post one, and run this again.")
    skew = min(appended - at for appended, at in received)
    return _finding(f"brokers (the fastest of {len(received)} appends)", "the gateway", skew, 0.0)


def _received_at(codec: Codec, value: bytes | None) -> int | None:
    match record_view.decode(codec, value)[0]:
        case Webhook(envelope=envelope):
            return envelope.received_at
        case RejectedWebhook(received_at=at):
            return at
        case _:
            return None


def _finding(subject: str, reference: str, skew_s: float, uncertainty_s: float) -> Finding:
    direction = "ahead of" if skew_s > 0 else "behind"
    found = f"{abs(skew_s):.3f} s {direction} {reference}" + (f" (± {uncertainty_s:.3f} s)" if uncertainty_s else "")
    if abs(skew_s) - uncertainty_s > MAX_SKEW_S:
        return wrong("clocks", subject, found, REMEDY)
    return ok("clocks", subject, found)
