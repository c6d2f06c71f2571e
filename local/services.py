"""The services of the local stack, their environment variables and their readiness checks."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from local.paths import Paths
from local.processes.process import Program
from providers import catalogue
from runtime.clients import loopback
from runtime.config import kafka_properties
from stream.events import topics

WORKER, GATEWAY = 1, 2  # layers above Kafka, Postgres and the inbox (0): the gateway stops first


@dataclass(frozen=True)
class LocalService:
    """A service as the local stack runs it: its module, its variables, its port."""

    name: str
    module: str
    store: bool = True
    gets: tuple[str, ...] = ()  # variables beyond EVERY_SERVICE_GETS
    listens: bool = False  # whether it has a public port besides its management listener
    layer: int = WORKER

    def variable(self, suffix: str) -> str:
        """Return the name of a variable of this service in the environment file, such as PAYMENT_DATABASE_URL."""
        return f"{self.name.upper()}_{suffix}"

    def own(self, env: Mapping[str, str], prefix: str) -> dict[str, str]:
        """Return the variables in `env` for this service alone, such as PAYMENT_KAFKA_SASL_PASSWORD for `KAFKA_`.

        Their names stay as they are; empty ones are left out.
        """
        return {name: value for name, value in env.items() if name.startswith(self.variable(prefix)) and value}


# Generated once per run folder, unless the environment has them.
SECRETS = tuple(dict.fromkeys(row.secret_setting for row in catalogue.BY_NAME.values()))
# Providers with an API that confirms webhooks. In a local run the simulator plays those APIs.
API_PROVIDERS = tuple(row.name for row in catalogue.BY_NAME.values() if row.api_verification)
API_KEYS = tuple(f"{name.upper()}_API_KEY" for name in API_PROVIDERS)
API_URLS = tuple(f"{name.upper()}_API_URL" for name in API_PROVIDERS)
CONSOLE = ("CONSOLE_TOKEN", "CONSOLE_USERS_FILE", "MANAGEMENT_URLS")
SERVICES = (
    *(LocalService(processor.name, processor.package, gets=("ORDERS",)) for processor in topics.PROCESSORS),
    LocalService("confirmer", "confirmer", gets=(*API_KEYS, *API_URLS)),
    LocalService("notifier", "notifier", gets=("SMTP_URL", "MAIL_FROM", "OPERATOR_EMAIL")),
    LocalService("console", "console", gets=CONSOLE, listens=True),
    LocalService("gateway", "gateway", store=False, gets=SECRETS, listens=True, layer=GATEWAY),
)
REGISTRY_ACCESS = ("SCHEMA_REGISTRY_TOKEN", "SCHEMA_REGISTRY_TOKEN_FILE", "SCHEMA_REGISTRY_CA")
TOPICS_AND_GROUPS = ("TOPIC_PREFIX", "TOPIC_PARTITIONS", "GROUP_PREFIX")
EVERY_SERVICE_GETS = (
    *TOPICS_AND_GROUPS,
    "KAFKA_BOOTSTRAP_SERVERS",
    "SCHEMA_REGISTRY_URL",
    *REGISTRY_ACCESS,
    "SCHEMA_REGISTER",
    "MODE",
    "RATE_LIMIT",
    "MANAGEMENT_TOKEN",
)


def program(service: LocalService, paths: Paths, env: Mapping[str, str]) -> Program:
    """Return the program that runs a service, given the variables of the run."""
    return Program(
        name=service.name,
        argv=(sys.executable, "-m", service.module),
        cwd=paths.root,
        env=_environment(service, env),
        ready=lambda: is_ready(service, env),
        layer=service.layer,
    )


def is_ready(service: LocalService, env: Mapping[str, str]) -> bool:
    """Return whether the service reports ready on its management listener and, where it has one, its public port."""
    urls = [env[key] for key in (service.variable("MANAGEMENT_URL"), service.variable("URL")) if key in env]
    return all(answers(f"{url}/health/ready") for url in urls)


def answers(url: str) -> bool:
    """Return whether a GET is answered 200 within 2 s; False if nothing listens."""
    try:
        return loopback.get(url, timeout_s=2).status == HTTPStatus.OK
    except OSError:
        return False


def _environment(service: LocalService, env: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment, with only those of the run's variables that the service gets."""
    inherited = {key: value for key, value in os.environ.items() if key not in env}
    given = {key: env[key] for key in (*EVERY_SERVICE_GETS, *service.gets) if env.get(key)}
    return inherited | given | _kafka(service, env) | _addresses(service, env)


def _kafka(service: LocalService, env: Mapping[str, str]) -> dict[str, str]:
    """Return the Kafka variables of all clients, overridden by those of this service."""
    own = service.own(env, "KAFKA_")
    named = {name.removeprefix(service.variable("")): value for name, value in own.items()}
    return kafka_properties.variables(env) | named


def _addresses(service: LocalService, env: Mapping[str, str]) -> dict[str, str]:
    management = urlsplit(env[service.variable("MANAGEMENT_URL")])
    addresses = {"MANAGEMENT_HOST": str(management.hostname), "MANAGEMENT_PORT": str(management.port)}
    if service.store:
        addresses["DATABASE_URL"] = env[service.variable("DATABASE_URL")]
        if direct := env.get(service.variable("DIRECT_DATABASE_URL")):
            addresses["DIRECT_DATABASE_URL"] = direct
    if public := env.get(service.variable("URL")):
        addresses |= {"HOST": str(urlsplit(public).hostname), "PORT": str(urlsplit(public).port)}
    return addresses
