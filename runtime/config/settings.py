"""Reads the environment into a frozen model; an invalid value ends the process with a sentence on standard error.

Each setting is one field: its name in capitals is the variable, its description the line in docs/configuration.md.
`NAME_FILE` may name a file with the value; the variable takes precedence over it. `SECRETS_DIR` may name a folder with
one file per setting, as container secrets are mounted; such a file takes precedence over the variable. White space
around values is trimmed.
"""

import os
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from runtime.confidential import urls
from runtime.confidential.wrong_setting import read_file
from runtime.config import kafka_properties
from runtime.config.secrets import Token, local_defaults
from runtime.config.sources import FileSource, named_file, secret_file

EXIT_MISCONFIGURED = 78  # EX_CONFIG of sysexits.h
Mode = Literal["live", "test"]
DEFAULT_MODE: Mode = "live"
NAME_PREFIX = r"^[A-Za-z0-9._-]{0,100}$"
"""A regex: the characters Kafka allows in names. 100 of its 249 leave room for the names of topics and groups."""


class Settings(BaseSettings):
    """The settings of every service; a subclass adds those of one service."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, str_strip_whitespace=True)

    kafka_bootstrap_servers: str = Field(description="Kafka brokers as host:port, comma-separated")
    topic_prefix: str = Field(
        "", pattern=NAME_PREFIX, description="prefix of all topic names; must not change once a store has events"
    )
    topic_partitions: int = Field(
        12, ge=1, le=1000, description="number of partitions of each topic; must not change once the topics exist"
    )
    group_prefix: str = Field("", pattern=NAME_PREFIX, description="prefix of all consumer group names")
    schema_registry_url: str | None = Field(
        None,
        description="URL of a schema registry (Confluent API); unset: schema ids come from schemas/avro/registry.json",
    )
    schema_registry_token: str | None = Field(
        None,
        description="bearer token for the registry; for a user and a password, put user:password@ in its URL instead",
    )
    schema_registry_ca: Path | None = Field(
        None, description="file with the CA of the registry's certificate; unset: the CAs of the system"
    )
    schema_register: bool = Field(
        default=False,
        description="register schemas that the registry lacks; false: only `hookstream schemas push` registers them",
    )
    topic_replication: int | None = Field(
        None,
        ge=1,
        description="replication factor that topics should have, checked at start; unset: 3 if MODE=live, else any",
    )
    mode: Mode = Field(
        DEFAULT_MODE,
        description="mode of this system and of webhooks that name none; those of the other mode are quarantined",
    )
    management_host: str = Field(
        "127.0.0.1", description="address on which health, metrics and the management API are served"
    )
    management_port: int = Field(9100, ge=0, le=65535, description="port of health, metrics and the management API")
    management_token: Token | None = Field(
        None, description="bearer token for metrics and the management API; unset: only health is served"
    )
    secrets_dir: Path | None = Field(
        None, description="folder with one file per setting, named as the setting; takes precedence over variables"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="lowest level that is logged")
    _kafka_properties: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @property
    def kafka_properties(self) -> Mapping[str, str]:
        """The properties of librdkafka that `KAFKA_…` variables set."""
        return self._kafka_properties

    @field_validator("schema_registry_url")
    @classmethod
    def _registry_has_an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urls.split(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.path:
            raise ValueError(
                "must be an http or https URL, with user:password@ before the host if the registry needs them;"
                f" {urls.ESCAPES}"
            )
        return value

    @model_validator(mode="after")
    def _registry_can_be_called(self) -> Self:
        if self.schema_registry_token and urls.split(self.schema_registry_url or "").username is not None:
            raise ValueError(
                "SCHEMA_REGISTRY_URL has credentials and SCHEMA_REGISTRY_TOKEN is set: use only one of them"
            )
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
            raise ValueError(f"{names}: a published development secret (local-only…), which MODE=live does not accept")
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
            FileSource(settings_cls, secret_file),
            env_settings,
            FileSource(settings_cls, named_file),
        )

    @classmethod
    def read(cls) -> Self:
        """Return the settings of this process, from its environment.

        If a value is invalid or a file cannot be read, write `complaints` to standard error and exit with
        EXIT_MISCONFIGURED.
        """
        try:
            return cls()
        except (ValidationError, OSError) as failure:
            sys.stderr.write("".join(f"{sentence}\n" for sentence in complaints(failure)))
            sys.exit(EXIT_MISCONFIGURED)


def value_of(environment: Mapping[str, str], name: str) -> str | None:
    """Return a setting from its variable, else from the file that `{name}_FILE` names; for programs without `Settings`.

    None if both are unset or empty. Raises UnreadableSetting if the file cannot be read.
    """
    if value := environment.get(name, "").strip():
        return value
    path = environment.get(f"{name}_FILE")
    return (read_file(f"{name}_FILE", Path(path)) or None) if path else None


def _check_ca(path: Path) -> None:
    try:
        ssl.create_default_context(cafile=path)
    except OSError as failure:
        raise ValueError(f"SCHEMA_REGISTRY_CA: {path} has no readable certificate") from failure


def complaints(failure: ValidationError | OSError) -> list[str]:
    """Return a sentence for each invalid setting, without its value, or one for the file that cannot be read."""
    if isinstance(failure, OSError):
        return [f"cannot start: {failure.filename}, which cannot be read ({failure.strerror})"]
    return [_complaint(error["loc"], error["msg"]) for error in failure.errors(include_input=False, include_url=False)]


def _complaint(location: tuple[int | str, ...], message: str) -> str:
    reason = message.removeprefix("Value error, ")
    if not location:
        return f"cannot start: {reason}"
    name = str(location[0]).upper()
    return f"cannot start: {name} must be set" if reason == "Field required" else f"cannot start: {name}: {reason}"
