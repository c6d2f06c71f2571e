"""The services: which there are, what each is given, and when each is ready. A new one is a line."""

import http.client
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from local.child import Program
from local.place import Place

WORKER, GATEWAY = 1, 2  # the layers above Kafka, Postgres and the inbox (0): the gateway falls silent first


@dataclass(frozen=True)
class Service:
    name: str
    module: str
    store: bool = True
    gets: tuple[str, ...] = ()  # beyond what every service gets
    layer: int = WORKER

    def variable(self, suffix: str) -> str:
        return f"{self.name.upper()}_{suffix}"


# Generated once for this machine, unless the environment has them.
SECRETS = (
    "WEBHOOK_SECRET",
    "TOSS_WEBHOOK_SECRET",
    "TOSSPAYMENTS_WEBHOOK_SECRET",
    "PORTONE_V1_WEBHOOK_SECRET",
    "PORTONE_V2_WEBHOOK_SECRET",
    "INICIS_WEBHOOK_SECRET",
    "KAKAOPAY_WEBHOOK_SECRET",
    "NAVERPAY_WEBHOOK_SECRET",
)
SERVICES = (
    Service("payment", "processors.payment"),
    Service("shipping", "processors.shipping"),
    Service("refund", "processors.refund"),
    Service("notifier", "notifier", gets=("SMTP_URL", "MAIL_FROM", "OPERATOR_EMAIL")),
    Service("gateway", "gateway", store=False, gets=SECRETS, layer=GATEWAY),
)
EVERY_SERVICE_GETS = ("KAFKA_BOOTSTRAP_SERVERS", "SCHEMA_REGISTRY_URL", "MODE", "RATE_LIMIT", "MANAGEMENT_TOKEN")


def program(service: Service, place: Place, env: Mapping[str, str]) -> Program:
    return Program(
        name=service.name,
        argv=(sys.executable, "-m", service.module),
        cwd=place.root,
        env=_environment(service, env),
        ready=lambda: is_ready(service, env),
        layer=service.layer,
    )


def is_ready(service: Service, env: Mapping[str, str]) -> bool:
    urls = [env[key] for key in (service.variable("MANAGEMENT_URL"), service.variable("URL")) if key in env]
    return all(answers(f"{url}/health/ready") for url in urls)


def answers(url: str) -> bool:
    """Asked directly: a proxy named in the environment has no business between here and here."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=2)
    try:
        connection.request("GET", address.path or "/")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _environment(service: Service, env: Mapping[str, str]) -> dict[str, str]:
    """The person's own variables, without those meant for other services, plus what is this one's."""
    inherited = {key: value for key, value in os.environ.items() if key not in env}
    given = {key: env[key] for key in (*EVERY_SERVICE_GETS, *service.gets) if env.get(key)}
    return inherited | given | _addresses(service, env)


def _addresses(service: Service, env: Mapping[str, str]) -> dict[str, str]:
    management = urlsplit(env[service.variable("MANAGEMENT_URL")])
    addresses = {"MANAGEMENT_HOST": str(management.hostname), "MANAGEMENT_PORT": str(management.port)}
    if service.store:
        addresses["DATABASE_URL"] = env[service.variable("DATABASE_URL")]
    if public := env.get(service.variable("URL")):
        addresses |= {"HOST": str(urlsplit(public).hostname), "PORT": str(urlsplit(public).port)}
    return addresses
