"""Reads librdkafka's properties from the environment and checks them against librdkafka itself.

`KAFKA_SASL_USERNAME` sets `sasl.username`; `KAFKA_SASL_PASSWORD_FILE` names a file with `sasl.password`. Errors about a
property that may be secret do not repeat its value.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from confluent_kafka import KafkaException, Producer

from runtime.confidential.wrong_setting import WrongSetting, read_file

PREFIX, FILE = "KAFKA_", "_FILE"
OWN_VARIABLES = frozenset({"KAFKA_BOOTSTRAP_SERVERS", "KAFKA_BOOTSTRAP_SERVERS_FILE", "KAFKA_PID"})
"""Variables that begin with KAFKA_ and set no property: settings of this project, and KAFKA_PID of `.run/env`."""
# Kubernetes sets these for a Service whose name begins with kafka.
SERVICE_LINK = re.compile(r"(_SERVICE_HOST|_SERVICE_PORT(_\w+)?|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$")
WITH_UNDERSCORE = {"log.level": "log_level"}
"""Name made from a variable → property: the only one with an underscore that can be set by text."""
NOT_BY_TEXT = frozenset({"logger"})
"""Properties that no variable can set, because the Python client wants an object."""

GUARANTEED: dict[str, frozenset[str]] = {
    "acks": frozenset({"all", "-1"}),
    "request.required.acks": frozenset({"all", "-1"}),
    "enable.idempotence": frozenset({"true"}),
    "partitioner": frozenset({"murmur2_random"}),
    "isolation.level": frozenset({"read_committed"}),
    "allow.auto.create.topics": frozenset({"false"}),
    "enable.auto.offset.store": frozenset({"false"}),
    "enable.partition.eof": frozenset({"false"}),
    "delivery.report.only.error": frozenset({"false"}),
    "queuing.strategy": frozenset({"fifo"}),
} | dict.fromkeys(
    (
        "auto.commit.enable",
        "auto.offset.reset",
        "delivery.timeout.ms",
        "dr_cb",
        "enable.auto.commit",
        "enable.gapless.guarantee",
        "enabled_events",
        "group.id",
        "group.instance.id",
        "group.protocol.type",
        "max.in.flight",
        "max.in.flight.requests.per.connection",
        "message.max.bytes",
        "message.send.max.retries",
        "message.timeout.ms",
        "metadata.broker.list",
        "offset.store.method",
        "offset.store.path",
        "offset.store.sync.interval.ms",
        "retries",
        "statistics.interval.ms",
        "topic.blacklist",
        "transactional.id",
        "transaction.timeout.ms",
    ),
    frozenset[str](),
)
"""Property that hookstream's guarantees depend on → the accepted values. Empty: no variable may set the property."""
ELSEWHERE = {
    "metadata.broker.list": "set KAFKA_BOOTSTRAP_SERVERS instead",
    "group.id": "set GROUP_PREFIX instead",
}
"""Property of GUARANTEED → the advice in the error, where a setting does what the variable was meant to do."""
SECRET = re.compile(r"username|password|secret|pem|\.config|\.key|assertion")
"""Matches the names of properties whose values may be secret: librdkafka's errors about them are not shown."""
_END = "hookstream.end"
"""A property that librdkafka does not have: setting it last makes every client fail before it starts."""


def read(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the properties that the environment sets, by librdkafka's names, without those of GUARANTEED.

    Those may only repeat a value that hookstream sets anyway. Raises WrongSetting with a sentence for each variable
    that cannot be used, and UnreadableSetting.
    """
    errors, properties = list[str](), dict[str, str]()
    for variable, name, value in _given(environment):
        if error := _error(name, value):
            errors.append(f"{variable}: {error}")
        elif name not in GUARANTEED:
            properties[name] = value
    if errors:
        raise WrongSetting("; ".join(errors))
    return properties


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of `environment` that set properties and are not empty, to pass them to another process."""
    return {name: value for name, value in environment.items() if _is_property(name) and value}


def _given(environment: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield each variable, its property and its value; a variable takes precedence over a file for the property."""
    for variable, value in sorted(variables(environment).items()):
        name = _name(variable.removeprefix(PREFIX))
        if not variable.endswith(FILE) or _is_known(name):
            yield variable, name, value.strip()
        elif not environment.get(direct := variable.removesuffix(FILE)):
            yield variable, _name(direct.removeprefix(PREFIX)), read_file(variable, Path(value))


def _is_property(variable: str) -> bool:
    return variable.startswith(PREFIX) and variable not in OWN_VARIABLES and not SERVICE_LINK.search(variable)


def _name(suffix: str) -> str:
    name = suffix.lower().replace("_", ".")
    return WITH_UNDERSCORE.get(name, name)


def _error(name: str, value: str) -> str | None:
    """Return why this property cannot have this value, or None."""
    if name in GUARANTEED:
        return _weakening(name, value)
    if name.startswith("test.mock."):
        return "a mock cluster stores nothing: unset it"
    if not _is_known(name):
        return f"librdkafka knows no property {name}; see its CONFIGURATION.md"
    error = _librdkafka_error(name, value)
    if error and SECRET.search(name):
        return f"librdkafka does not accept the value of {name}"
    return error and error.strip()


def _weakening(name: str, value: str) -> str | None:
    """Return why a property of GUARANTEED cannot have this value, or None."""
    accepted = GUARANTEED[name]
    if value.lower() in accepted:
        return None
    if accepted:
        return f"hookstream's guarantees rest on {name}: only {' or '.join(sorted(accepted))} is accepted"
    return ELSEWHERE.get(name) or f"hookstream's guarantees rest on {name}: unset it"


def _is_known(name: str) -> bool:
    """Return whether librdkafka has a property of this name that can be set by text."""
    error = _librdkafka_error(name, "")
    return name not in NOT_BY_TEXT and (error is None or "No such configuration property" not in error)


def _librdkafka_error(name: str, value: str) -> str | None:
    """Return librdkafka's error for the value, or None. Because of _END, no client starts."""
    try:
        Producer({name: value, _END: ""})
    except Exception as failure:  # noqa: BLE001 - the client raises TypeError and AttributeError for its own properties
        text = failure.args[0].str() if isinstance(failure, KafkaException) else str(failure)
        return None if _END in text else text
    return None
