"""A real Kafka that requires TLS and authentication, by SASL (PLAIN, SCRAM-SHA-512) or certificate, with ACLs."""

import base64
import secrets
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Literal

from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from docs.acls import OPERATOR, Permission
from local import run_state
from local.parts import broker, maven
from local.paths import Paths
from local.processes.process import Program
from local.processes.supervisor import Supervisor
from stream.kafka.cluster import Cluster

ROOT = Path(__file__).parent.parent
Mechanism = Literal["PLAIN", "SCRAM-SHA-512", "mTLS"]
ADMIN = "admin"
SECURED = """
listeners=SASL_SSL://127.0.0.1:$sasl_port,SSL://127.0.0.1:$ssl_port,CONTROLLER://127.0.0.1:$controller_port
advertised.listeners=SASL_SSL://127.0.0.1:$sasl_port,SSL://127.0.0.1:$ssl_port
listener.security.protocol.map=SASL_SSL:SASL_SSL,SSL:SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL_SSL
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config=$plain
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location=$keys/broker.keystore.pem
ssl.truststore.type=PEM
ssl.truststore.location=$keys/ca.pem
listener.name.ssl.ssl.client.auth=required
ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$$/$$1/,DEFAULT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:admin;User:ANONYMOUS
"""


@dataclass(frozen=True)
class Secured:
    """A running broker: its addresses, the passwords of its principals, and the folder of their keys."""

    sasl_servers: str
    ssl_servers: str
    passwords: Mapping[str, str]
    keys: Path

    def variables(self, mechanism: Mechanism, name: str, before: str = "") -> dict[str, str]:
        """Return the variables with which the principal `name` connects; `before` is put before their names."""
        given = {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": mechanism, "SASL_USERNAME": name}
        given["SASL_PASSWORD"] = self.passwords[name]
        if mechanism == "mTLS":
            given = {
                "SECURITY_PROTOCOL": "SSL",
                "SSL_CERTIFICATE_LOCATION": f"{self.keys}/{name}.pem",
                "SSL_KEY_LOCATION": f"{self.keys}/{name}.key",
            }
        given["SSL_CA_LOCATION"] = f"{self.keys}/ca.pem"
        return {f"{before}KAFKA_{setting}": value for setting, value in given.items()}

    def servers(self, mechanism: Mechanism) -> str:
        """Return the address of the listener for a mechanism."""
        return self.ssl_servers if mechanism == "mTLS" else self.sasl_servers

    def cluster(self, mechanism: Mechanism, name: str) -> Cluster:
        """Return the cluster as the principal `name` connects to it."""
        servers = {"KAFKA_BOOTSTRAP_SERVERS": self.servers(mechanism)}
        return Cluster.of_environment(servers | self.variables(mechanism, name), "tests")

    def permit(self, permissions: Mapping[str, Sequence[Permission]], topic_prefix: str, group_prefix: str) -> None:
        """Allow these operations to each principal, on names with these prefixes. Others are denied by default."""
        before = {"topic": topic_prefix, "group": group_prefix}
        bindings = [
            AclBinding(
                ResourceType[one.kind.upper()],
                before[one.kind] + one.name,
                ResourcePatternType.LITERAL,
                f"User:{principal}",
                "*",
                AclOperation[operation],
                AclPermissionType.ALLOW,
            )
            for principal, ones in permissions.items()
            for one in ones
            for operation in one.operations
        ]
        admin = self.cluster("PLAIN", ADMIN).admin()
        for made in admin.create_acls(bindings).values():
            made.result(30)


@contextmanager
def running(data: Path, principals: Sequence[str]) -> Iterator[Secured]:
    """Run a broker during the block, with a password and a certificate for each principal and for ADMIN."""
    keys = data / "keys"
    keys.mkdir(parents=True)
    passwords = {name: secrets.token_hex(16) for name in (ADMIN, *principals)}
    certify(keys, ("broker", *passwords))
    chain = [(keys / name).read_text() for name in ("broker.key", "broker.pem", "ca.pem")]
    (keys / "broker.keystore.pem").write_text("".join(chain))
    place = Paths(ROOT, data)
    ports = run_state.ports(place, ("sasl_port", "ssl_port", "controller_port"), {})
    secured = Secured(f"127.0.0.1:{ports['sasl_port']}", f"127.0.0.1:{ports['ssl_port']}", passwords, keys)
    supervisor = Supervisor(data)
    try:
        command = (maven.java(), *broker.JVM, "-cp", f"{maven.fetch(supervisor, place, 'kafka', broker.LABEL)}/*")
        properties = _configure(data, secured, ports)
        cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        users = [f"--add-scram=SCRAM-SHA-512=[name={name},password={word}]" for name, word in passwords.items()]
        tool = ("kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", str(properties), *users)
        supervisor.run_to_end(Program("kafka-format", (*command, *tool), ready=bool))
        admin = secured.cluster("SCRAM-SHA-512", ADMIN)
        run = Program("kafka", (*command, "kafka.Kafka", str(properties)), ready=lambda: broker.answers(admin))
        supervisor.wait(supervisor.start(run))
        yield secured
    finally:
        supervisor.stop()


def _configure(data: Path, secured: Secured, ports: Mapping[str, int]) -> Path:
    """Write the broker's properties: the local broker's, and then SECURED, as the last value of a name counts."""
    base = (broker.CONFIGURATION / "server.properties").read_text()
    users = "".join(f' user_{name}="{word}"' for name, word in secured.passwords.items())
    own = f'username="{ADMIN}" password="{secured.passwords[ADMIN]}"'
    plain = f"org.apache.kafka.common.security.plain.PlainLoginModule required {own}{users};"
    given = {**ports, "port": ports["sasl_port"], "log": data / "kafka", "keys": secured.keys, "plain": plain}
    properties = data / "server.properties"
    properties.write_text(Template(base + SECURED).substitute(given))
    return properties


def certify(keys: Path, names: Sequence[str]) -> None:
    """Write a CA to the folder `keys`, and for each name a key and a certificate for 127.0.0.1, signed by the CA."""
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    _openssl("req", "-x509", *new_key, "-subj", "/CN=tests", "-keyout", f"{keys}/ca.key", "-out", f"{keys}/ca.pem")
    signed = ("-CA", f"{keys}/ca.pem", "-CAkey", f"{keys}/ca.key", "-addext", "subjectAltName=IP:127.0.0.1")
    for name in names:
        files = ("-keyout", f"{keys}/{name}.key", "-out", f"{keys}/{name}.pem")
        _openssl("req", "-x509", *new_key, *signed, "-subj", f"/CN={name}", *files)


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)  # noqa: S607 - wherever it is


def given_to(secured: Secured, mechanism: Mechanism, services: Sequence[str]) -> dict[str, str]:
    """Return the variables for a system on this broker, in which each service is a principal of its own.

    Everything else in the system, such as the command line, is OPERATOR.
    """
    own = [secured.variables(mechanism, name, f"{name.upper()}_") for name in services]
    operator = secured.variables(mechanism, OPERATOR)
    return (
        {"KAFKA_BOOTSTRAP_SERVERS": secured.servers(mechanism)}
        | operator
        | {k: v for one in own for k, v in one.items()}
    )
