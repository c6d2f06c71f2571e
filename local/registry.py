"""A schema registry for those who want to try one: Apicurio, which speaks Confluent's API, in memory."""

from local import maven
from local.child import Program
from local.environment import HOST, Settings
from local.services import answers
from local.supervisor import Supervisor

WHAT = "Apicurio Registry 2.6.13 (once, 142 MB)"


def start(supervisor: Supervisor, settings: Settings) -> None:
    if settings.registry:
        supervisor.wait(supervisor.start(_program(supervisor, settings)))


def _program(supervisor: Supervisor, settings: Settings) -> Program:
    libraries = maven.fetch(supervisor, settings.place, "registry", WHAT)
    address = (f"-Dquarkus.http.host={HOST}", f"-Dquarkus.http.port={settings.port['registry']}")
    return Program(
        name="registry",
        argv=(
            maven.java(),
            "-Xmx256m",
            "-XX:+UseSerialGC",
            *address,
            "-jar",
            str(next(libraries.glob("*-runner.jar"))),
        ),
        cwd=libraries,
        ready=lambda: answers(f"http://{HOST}:{settings.port['registry']}/health/ready"),
    )
