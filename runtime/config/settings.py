"""The environment, read once into a frozen record; a wrong value stops the start with a sentence.

Each setting is one field: its name in capitals is the variable, its description the line in docs/configuration.md.
`NAME_FILE` may name a file that holds the value instead; the variable wins over it. `SECRETS_DIR` may name a folder of
files named as settings, as containers are given secrets; such a file wins over the variable. White space is trimmed.
"""

import os
import ssl
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from runtime.config import kafka_properties
from runtime.config.secrets import Token, local_defaults

EXIT_MISCONFIGURED = 78  # EX_CONFIG of sysexits.h
Mode = Literal["live", "test"]
NAME_PREFIX = r"^[A-Za-z0-9._-]{0,100}$"
"""The characters Kafka allows in names; its limit of 249 leaves room for ours."""


Find = Callable[[str], tuple[str, Path | None]]
"""By a setting's name in capitals: the variable that leads to its file, and the file, None when there is none."""


class FileSource(PydanticBaseSettingsSource):
    """Values from the files that `find` finds."""

    def __init__(self, settings_cls: type[BaseSettings], find: Find) -> None:
        super().__init__(settings_cls)
        self._find = find

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        variable, path = self._find(field_name.upper())
        try:
            return (path.read_text().strip() if path else None), field_name, False
        except OSError as wrong:
            raise OSError(wrong.errno, wrong.strerror, f"{variable} names {path}") from wrong

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields
        values = {name: self.get_field_value(field, name)[0] for name, field in fields.items()}
        return {name: value for name, value in values.items() if value is not None}


def _named_file(name: str) -> tuple[str, Path | None]:
    variable = f"{name}_FILE"
    return variable, Path(path) if (path := os.environ.get(variable)) else None


def _secret_file(name: str) -> tuple[str, Path | None]:
    folder = os.environ.get("SECRETS_DIR")
    path = Path(folder, name) if folder else None
    return "SECRETS_DIR", path if path and path.exists() else None


class Settings(BaseSettings):
    """What each service reads. A subclass adds what only that service needs."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, str_strip_whitespace=True)

    kafka_bootstrap_servers: str = Field(description="Kafka's brokers, host:port, comma-separated")
    topic_prefix: str = Field(
        "", pattern=NAME_PREFIX, description="put before each topic's name; fixed once a store has events"
    )
    topic_partitions: int = Field(
        12, ge=1, le=1000, description="the number of partitions of each topic; fixed once the topics exist"
    )
    group_prefix: str = Field("", pattern=NAME_PREFIX, description="put before the name of each consumer group")
    schema_registry_url: str | None = Field(
        None, description="a schema registry (Confluent API); unset: ids come from schemas/avro/registry.json"
    )
    schema_registry_token: str | None = Field(
        None, description="a bearer token for the registry; a user and a password stand in its URL instead"
    )
    schema_registry_ca: Path | None = Field(
        None, description="the file of the CA that signed the registry's certificate; unset: the system's"
    )
    schema_register: bool = Field(
        default=False, description="register schemas the registry lacks; else `hookstream schemas push` does"
    )
    topic_replication: int | None = Field(
        None, ge=1, description="the copies topics should have, for the check at start; unset: 3 when live, else any"
    )
    mode: Mode = Field("live", description="the mode of a webhook that names none")
    management_host: str = Field("127.0.0.1", description="where health, metrics and management verbs are answered")
    management_port: int = Field(9100, ge=0, le=65535, description="the port of health, metrics and management verbs")
    management_token: Token | None = Field(
        None, description="the bearer token for metrics and management verbs; unset: only health is answered"
    )
    secrets_dir: Path | None = Field(
        None, description="a folder whose files, each named as a setting, hold values; they win over variables"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="the least level logged")
    _kafka_properties: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @property
    def kafka_properties(self) -> Mapping[str, str]:
        """Librdkafka's properties as the `KAFKA_…` variables set them."""
        return self._kafka_properties

    @field_validator("schema_registry_url")
    @classmethod
    def _registry_has_an_address(cls, value: str | None) -> str | None:
        if value is not None and not (urlsplit(value).hostname and value.startswith(("http://", "https://"))):
            raise ValueError("must be an http or https URL, a user and a password before its host if it needs them")
        return value

    @model_validator(mode="after")
    def _registry_can_be_called(self) -> Self:
        if self.schema_registry_token and urlsplit(self.schema_registry_url or "").username is not None:
            raise ValueError("SCHEMA_REGISTRY_URL holds credentials and SCHEMA_REGISTRY_TOKEN is set: keep one")
        if self.schema_registry_ca is not None:
            _check_ca(self.schema_registry_ca)
        return self

    @model_validator(mode="after")
    def _kafka_properties_are_accepted(self) -> Self:
        self._kafka_properties = kafka_properties.read(os.environ)
        return self

    @model_validator(mode="after")
    def _live_secrets_are_not_local_defaults(self) -> Self:
        known = list(local_defaults({**self.__dict__, **self._kafka_properties})) if self.mode == "live" else []
        if known:
            names = ", ".join(name.upper() for name in known)
            raise ValueError(f"{names}: a secret for one's own machine (local-only…), which MODE=live does not take")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (
            init_settings,
            FileSource(settings_cls, _secret_file),
            env_settings,
            FileSource(settings_cls, _named_file),
        )

    @classmethod
    def read(cls) -> Self:
        """The settings of this process; exits with a sentence per wrong value."""
        try:
            return cls()
        except (ValidationError, OSError) as wrong:
            sys.stderr.write("".join(f"{sentence}\n" for sentence in complaints(wrong)))
            sys.exit(EXIT_MISCONFIGURED)


class StoreSettings(Settings):
    """What a service with a Postgres store reads."""

    database_url: str = Field(description="this service's own database, postgresql://role:password@host:port/name")
    direct_database_url: str | None = Field(
        None,
        description="that database without a pooler, for LISTEN, migrations and replays; unset: DATABASE_URL",
    )
    database_prepare: bool = Field(
        default=True,
        description="off: no prepared statements, no start-up options: for PgBouncer's transaction pooling",
    )
    batch_size: int = Field(1000, ge=1, le=10_000, description="the most events one transaction applies")
    gather_ms: int = Field(
        50,
        ge=0,
        le=5000,
        description="milliseconds a batch waits for more events after its first (console: 500, notifier: 150),"
        " unless it is full",
    )
    retry_first_s: float = Field(
        2.0,
        gt=0,
        le=3600,
        description="seconds until a failed event is tried again; each further wait is 4 times as long",
    )
    max_failing: int = Field(
        100, ge=2, description="so many failing events at once stop consumption: it must be us, not them"
    )
    wait_limit_s: float = Field(
        86_400, gt=0, description="seconds an event may wait for what it needs before it is reported abandoned"
    )
    replay_batch_size: int = Field(
        5000,
        ge=100,
        le=100_000,
        description="the most events one transaction of a replay applies; each takes about 10 KB of memory",
    )
    replay_processes: int = Field(
        1,
        ge=1,
        le=64,
        description="the most processes that replay partitions side by side, where the service's state allows it",
    )

    @property
    def session_url(self) -> str:
        """The URL without a transaction pooler, for LISTEN, advisory locks and session settings."""
        return self.direct_database_url or self.database_url


def value_of(environment: Mapping[str, str], name: str) -> str | None:
    """A setting by its variable or the file that NAME_FILE names, for programs that read no `Settings`.

    Raises OSError when the file cannot be read.
    """
    if value := environment.get(name, "").strip():
        return value
    path = environment.get(f"{name}_FILE")
    return (Path(path).read_text().strip() or None) if path else None


def _check_ca(path: Path) -> None:
    try:
        ssl.create_default_context(cafile=path)
    except OSError as wrong:
        raise ValueError(f"SCHEMA_REGISTRY_CA: {path} holds no certificate that can be read") from wrong


def complaints(wrong: ValidationError | OSError) -> list[str]:
    """What is wrong with the configuration, in sentences, without the values."""
    if isinstance(wrong, OSError):
        return [f"cannot start: {wrong.filename}, which cannot be read ({wrong.strerror})"]
    return [_complaint(error["loc"], error["msg"]) for error in wrong.errors(include_input=False, include_url=False)]


def _complaint(where: tuple[int | str, ...], message: str) -> str:
    said = message.removeprefix("Value error, ")
    if not where:
        return f"cannot start: {said}"
    name = str(where[0]).upper()
    return f"cannot start: {name} must be set" if said == "Field required" else f"cannot start: {name}: {said}"
