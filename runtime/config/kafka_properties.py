"""librdkafka's properties from the environment, checked against librdkafka itself.

`KAFKA_SASL_USERNAME` is `sasl.username`; `KAFKA_SASL_PASSWORD_FILE` names a file that holds `sasl.password`. Sentences
about a property that may be secret do not repeat its value.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from confluent_kafka import KafkaException, Producer

PREFIX, FILE = "KAFKA_", "_FILE"
OURS = frozenset({"KAFKA_BOOTSTRAP_SERVERS", "KAFKA_BOOTSTRAP_SERVERS_FILE", "KAFKA_PID"})
"""Settings of their own; KAFKA_PID stands in `.run/env`."""
# Kubernetes sets these for a Service whose name begins with kafka.
SERVICE_LINK = re.compile(r"(_SERVICE_HOST|_SERVICE_PORT(_\w+)?|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$")
WITH_UNDERSCORE = {"log.level": "log_level"}
"""The only property that is set by text and whose name holds an underscore."""
NOT_BY_TEXT = frozenset({"logger"})
"""The Python client's own, and an object."""

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
"""Properties that hookstream's guarantees rest on, with the values that keep them; no other is accepted."""
ELSEWHERE = {
    "metadata.broker.list": "set KAFKA_BOOTSTRAP_SERVERS instead",
    "group.id": "set GROUP_PREFIX instead",
}
SECRET = re.compile(r"username|password|secret|pem|\.config|\.key|assertion")
"""Properties whose values stand in no sentence; librdkafka repeats some values."""
_END = "hookstream.end"


def read(environment: Mapping[str, str]) -> dict[str, str]:
    """The properties that the environment sets, by librdkafka's names.

    Raises ValueError with a sentence per variable that cannot be used, and OSError when a file cannot be read.
    """
    wrong, found = list[str](), dict[str, str]()
    for variable, name, value in _given(environment):
        if why := _refusal(name, value):
            wrong.append(f"{variable}: {why}")
        elif name not in GUARANTEED:
            found[name] = value
    if wrong:
        raise ValueError("; ".join(wrong))
    return found


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that set properties, to be handed on to another process."""
    return {name: value for name, value in environment.items() if _is_property(name) and value}


def _given(environment: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Each variable, its property and its value; a variable wins over the file of the same property."""
    for variable, value in sorted(variables(environment).items()):
        name = _name(variable.removeprefix(PREFIX))
        if not variable.endswith(FILE) or _is_known(name):
            yield variable, name, value.strip()
        elif not environment.get(direct := variable.removesuffix(FILE)):
            yield variable, _name(direct.removeprefix(PREFIX)), _content(variable, value)


def _is_property(variable: str) -> bool:
    return variable.startswith(PREFIX) and variable not in OURS and not SERVICE_LINK.search(variable)


def _name(rest: str) -> str:
    name = rest.lower().replace("_", ".")
    return WITH_UNDERSCORE.get(name, name)


def _content(variable: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError as wrong:
        raise OSError(wrong.errno, wrong.strerror, f"{variable} names {path}") from wrong


def _refusal(name: str, value: str) -> str | None:
    """Return why this property cannot have this value; None when it can."""
    if name in GUARANTEED:
        return _weakening(name, value)
    if name.startswith("test.mock."):
        return "a mock cluster keeps nothing: unset it"
    if not _is_known(name):
        return f"librdkafka knows no property {name}; see its CONFIGURATION.md"
    objection = _objection(name, value)
    if objection and SECRET.search(name):
        return f"librdkafka does not accept the value of {name}"
    return objection and objection.strip()


def _weakening(name: str, value: str) -> str | None:
    """Return why a guaranteed property cannot have this value; None when it can."""
    kept = GUARANTEED[name]
    if value.lower() in kept:
        return None
    if kept:
        return f"hookstream's guarantees rest on {name}: only {' or '.join(sorted(kept))} is accepted"
    return ELSEWHERE.get(name) or f"hookstream's guarantees rest on {name}: unset it"


def _is_known(name: str) -> bool:
    """Return whether librdkafka has a property of this name that can be set by text."""
    objection = _objection(name, "")
    return name not in NOT_BY_TEXT and (objection is None or "No such configuration property" not in objection)


def _objection(name: str, value: str) -> str | None:
    """Return librdkafka's objection to the value, or None. The second name is always wrong, so no client starts."""
    try:
        Producer({name: value, _END: ""})
    except Exception as said:  # noqa: BLE001 - the client raises TypeError and AttributeError for its own properties
        text = said.args[0].str() if isinstance(said, KafkaException) else str(said)
        return None if _END in text else text
    return None
