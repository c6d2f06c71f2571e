"""The settings of a run and its environment file, `.run/env`, which services, command line and tests read."""

from collections.abc import Mapping
from dataclasses import dataclass

from local.paths import Paths, write_whole
from local.run_state import passwords, ports
from local.services import API_KEYS, API_PROVIDERS, API_URLS, REGISTRY_ACCESS, SECRETS, SERVICES, TOPICS_AND_GROUPS
from runtime.config import kafka_properties

HOST = "127.0.0.1"
STORES = tuple(service for service in SERVICES if service.store)
INFRASTRUCTURE = ("kafka", "kafka_controller", "postgres", "smtp", "inbox", "apis", "registry")
GENERATED = (*SECRETS, *API_KEYS, "MANAGEMENT_TOKEN", "CONSOLE_TOKEN", "CONSOLE_PASSWORD")
SUPERUSER, AUDITOR = "postgres", "auditor"


@dataclass(frozen=True)
class StackSettings:
    """The settings of one run: its paths, the variables given from outside, and the ports and secrets chosen for it."""

    paths: Paths
    given: Mapping[str, str]  # the person's own broker, databases, registry and secrets, as variables
    port: Mapping[str, int]
    secret: Mapping[str, str]
    registry: bool  # whether to start a schema registry

    @property
    def own_broker(self) -> bool:
        """True if a broker is to be started: unless KAFKA_BOOTSTRAP_SERVERS is given."""
        return not self.given.get("KAFKA_BOOTSTRAP_SERVERS")

    @property
    def own_inbox(self) -> bool:
        """True if an inbox is to be started: unless both SMTP_URL and INBOX_URL are given."""
        return not (self.given.get("SMTP_URL") and self.given.get("INBOX_URL"))

    @property
    def own_databases(self) -> bool:
        """True if Postgres is to be started: unless every service with a store is given a database."""
        return not all(self.given.get(service.variable("DATABASE_URL")) for service in STORES)


def decide(paths: Paths, given: Mapping[str, str], preferred: Mapping[str, int], *, registry: bool) -> StackSettings:
    """Return the settings of a run, with the ports and passwords of the last run as far as possible; store new ones.

    `preferred` has ports by name, which come first. `registry` starts a schema registry unless one is given.
    """
    listening = [service.name for service in SERVICES if service.listens]
    managed = [f"{service.name}_management" for service in SERVICES]
    roles = [SUPERUSER, AUDITOR, *(service.name for service in STORES)]
    return StackSettings(
        paths,
        given,
        ports(paths, (*INFRASTRUCTURE, *listening, *managed), preferred),
        passwords(paths, (*GENERATED, *roles)),
        registry and not given.get("SCHEMA_REGISTRY_URL"),
    )


def describe(settings: StackSettings) -> dict[str, str]:
    """Return the variables of the run, as they are written to `.run/env`."""
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
        "ORDERS": given.get("ORDERS") or "optional",
        "MODE": "test",
        "RATE_LIMIT": "off",
        **{name: given.get(name) or settings.secret[name] for name in GENERATED if name != "CONSOLE_PASSWORD"},
        **{
            url: given.get(url) or f"{_apis(settings)}/{name}"
            for url, name in zip(API_URLS, API_PROVIDERS, strict=True)
        },
        **_console(settings),
        **_databases(settings),
        **{service.variable("MANAGEMENT_URL"): _management(settings, service.name) for service in SERVICES},
    }


def database_url(settings: StackSettings, role: str, database: str) -> str:
    """Return the URL by which `role` connects to a database of the run's own Postgres."""
    return f"postgresql://{role}:{settings.secret[role]}@{HOST}:{settings.port['postgres']}/{database}"


def write(paths: Paths, env: Mapping[str, str], pids: Mapping[str, int]) -> None:
    """Write the environment file, with a variable NAME_PID for each process."""
    lines = {**env} | {f"{name.upper()}_PID": str(pid) for name, pid in pids.items()}
    write_whole(paths.env_file, "".join(f"{key}={value}\n" for key, value in lines.items()))


def read(paths: Paths) -> dict[str, str]:
    """Return the variables in the environment file; an empty dict when no system runs."""
    if not paths.env_file.exists():
        return {}
    return dict(line.split("=", 1) for line in paths.env_file.read_text().splitlines())


def _kafka(given: Mapping[str, str]) -> dict[str, str]:
    """Return the Kafka variables of all clients, and those of one service such as PAYMENT_KAFKA_SASL_PASSWORD."""
    own = {name: value for service in SERVICES for name, value in service.own(given, "KAFKA_").items()}
    names = {name: given[name] for name in TOPICS_AND_GROUPS if given.get(name)}
    return kafka_properties.variables(given) | own | names


def _apis(settings: StackSettings) -> str:
    return f"http://{HOST}:{settings.port['apis']}"


def _inbox(settings: StackSettings) -> dict[str, str]:
    if not settings.own_inbox:
        return {name: settings.given[name] for name in ("INBOX_URL", "SMTP_URL")}
    port = settings.port
    return {"INBOX_URL": f"http://{HOST}:{port['inbox']}", "SMTP_URL": f"smtp://{HOST}:{port['smtp']}"}


def _console(settings: StackSettings) -> dict[str, str]:
    """Return the management addresses that the console uses, and a user of its pages unless users are given."""
    urls = {"MANAGEMENT_URLS": ",".join(f"{row.name}={_management(settings, row.name)}" for row in SERVICES)}
    if settings.given.get("CONSOLE_USERS") or settings.given.get("CONSOLE_USERS_FILE"):
        return urls
    password = settings.given.get("CONSOLE_PASSWORD") or settings.secret["CONSOLE_PASSWORD"]
    users_file = str(settings.paths.run / "console-users")
    return {**urls, "CONSOLE_USER": "admin", "CONSOLE_PASSWORD": password, "CONSOLE_USERS_FILE": users_file}


def _management(settings: StackSettings, name: str) -> str:
    return f"http://{HOST}:{settings.port[f'{name}_management']}"


def _databases(settings: StackSettings) -> dict[str, str]:
    """Return two URLs for each store: one of its owner, one of the read-only auditor (the owner's if none is given)."""
    urls: dict[str, str] = {}
    for service in STORES:
        name, owner, auditor = service.name, service.variable("DATABASE_URL"), service.variable("AUDIT_URL")
        if settings.own_databases:
            urls |= {owner: database_url(settings, name, name), auditor: database_url(settings, AUDITOR, name)}
        else:
            urls |= {owner: settings.given[owner], auditor: settings.given.get(auditor) or settings.given[owner]}
    return urls
