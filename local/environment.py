"""Everything a run knows about itself, as `KEY=value`: what services, command line and tests go by."""

from collections.abc import Mapping
from dataclasses import dataclass

from local.paths import Paths, write_whole
from local.run_state import passwords, ports
from local.services import API_KEYS, API_URLS, ASKED, REGISTRY_ACCESS, SECRETS, SERVICES, TOPICS_AND_GROUPS
from runtime.config import kafka_properties

HOST = "127.0.0.1"
STORES = tuple(service for service in SERVICES if service.store)
INFRASTRUCTURE = ("kafka", "kafka_controller", "postgres", "smtp", "inbox", "apis", "registry")
GENERATED = (*SECRETS, *API_KEYS, "MANAGEMENT_TOKEN", "CONSOLE_TOKEN")
SUPERUSER, AUDITOR = "postgres", "auditor"


@dataclass(frozen=True)
class Settings:
    place: Paths
    given: Mapping[str, str]  # what the person brings along: a broker, databases, a registry, secrets
    port: Mapping[str, int]
    secret: Mapping[str, str]
    registry: bool  # whether to start one

    @property
    def own_broker(self) -> bool:
        return not self.given.get("KAFKA_BOOTSTRAP_SERVERS")

    @property
    def own_inbox(self) -> bool:
        """Both or none: a mail server without a page to read what it took is not for trials."""
        return not (self.given.get("SMTP_URL") and self.given.get("INBOX_URL"))

    @property
    def own_databases(self) -> bool:
        return not all(self.given.get(service.variable("DATABASE_URL")) for service in STORES)


def decide(place: Paths, given: Mapping[str, str], wished: Mapping[str, int], *, registry: bool) -> Settings:
    listening = [service.name for service in SERVICES if service.listens]
    managed = [f"{service.name}_management" for service in SERVICES]
    roles = [SUPERUSER, AUDITOR, *(service.name for service in STORES)]
    return Settings(
        place,
        given,
        ports(place, (*INFRASTRUCTURE, *listening, *managed), wished),
        passwords(place, (*GENERATED, *roles)),
        registry and not given.get("SCHEMA_REGISTRY_URL"),
    )


def describe(settings: Settings) -> dict[str, str]:
    port, given = settings.port, settings.given
    registry = f"http://{HOST}:{port['registry']}/apis/ccompat/v7" if settings.registry else ""
    return {
        "GATEWAY_URL": f"http://{HOST}:{port['gateway']}",
        "APIS_URL": _apis(settings),
        "CONSOLE_URL": f"http://{HOST}:{port['console']}",
        **_inbox(settings),
        "MAIL_FROM": "hookstream@example.test",
        "OPERATOR_EMAIL": "operator@example.test",
        "KAFKA_BOOTSTRAP_SERVERS": given.get("KAFKA_BOOTSTRAP_SERVERS") or f"{HOST}:{port['kafka']}",
        **_kafka(given),
        "SCHEMA_REGISTRY_URL": given.get("SCHEMA_REGISTRY_URL") or registry,
        **{name: given[name] for name in REGISTRY_ACCESS if given.get(name)},
        "SCHEMA_REGISTER": given.get("SCHEMA_REGISTER") or "true",
        "MODE": "test",
        "RATE_LIMIT": "off",
        **{name: given.get(name) or settings.secret[name] for name in GENERATED},
        **{url: given.get(url) or f"{_apis(settings)}/{name}" for url, name in zip(API_URLS, ASKED, strict=True)},
        **_databases(settings),
        **{service.variable("MANAGEMENT_URL"): _management(settings, service.name) for service in SERVICES},
    }


def database_url(settings: Settings, role: str, database: str) -> str:
    return f"postgresql://{role}:{settings.secret[role]}@{HOST}:{settings.port['postgres']}/{database}"


def write(place: Paths, env: Mapping[str, str], pids: Mapping[str, int]) -> None:
    lines = {**env} | {f"{name.upper()}_PID": str(pid) for name, pid in pids.items()}
    write_whole(place.env_file, "".join(f"{key}={value}\n" for key, value in lines.items()))


def read(place: Paths) -> dict[str, str]:
    """Empty when nothing runs."""
    if not place.env_file.exists():
        return {}
    return dict(line.split("=", 1) for line in place.env_file.read_text().splitlines())


def _kafka(given: Mapping[str, str]) -> dict[str, str]:
    """Return the Kafka variables of all clients, and those of one service such as PAYMENT_KAFKA_SASL_PASSWORD."""
    own = {name: value for service in SERVICES for name, value in service.own(given, "KAFKA_").items()}
    names = {name: given[name] for name in TOPICS_AND_GROUPS if given.get(name)}
    return kafka_properties.variables(given) | own | names


def _apis(settings: Settings) -> str:
    return f"http://{HOST}:{settings.port['apis']}"


def _inbox(settings: Settings) -> dict[str, str]:
    if not settings.own_inbox:
        return {name: settings.given[name] for name in ("INBOX_URL", "SMTP_URL")}
    port = settings.port
    return {"INBOX_URL": f"http://{HOST}:{port['inbox']}", "SMTP_URL": f"smtp://{HOST}:{port['smtp']}"}


def _management(settings: Settings, name: str) -> str:
    return f"http://{HOST}:{settings.port[f'{name}_management']}"


def _databases(settings: Settings) -> dict[str, str]:
    """For each store its owner's URL, and one that may only read."""
    urls: dict[str, str] = {}
    for service in STORES:
        name, owner, auditor = service.name, service.variable("DATABASE_URL"), service.variable("AUDIT_URL")
        if settings.own_databases:
            urls |= {owner: database_url(settings, name, name), auditor: database_url(settings, AUDITOR, name)}
        else:
            urls |= {owner: settings.given[owner], auditor: settings.given.get(auditor) or settings.given[owner]}
    return urls
