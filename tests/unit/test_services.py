"""`stream/events/topics.py` lists the services; every file that must name each of them names exactly those."""

import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from local import services
from stream.events import topics

ROOT = Path(__file__).parents[2]
STORES = [service.name for service in topics.SERVICES]
ALL = ["gateway", *STORES]
IMAGES = {*ALL, "cli"}
LOCKS = {*IMAGES, "all"}
LOOP = re.compile(r"^ *for service in ([a-z ]+); do$", re.MULTILINE)


def text(name: str) -> str:
    return (ROOT / name).read_text()


def test_each_processor_is_a_package_of_its_name_and_there_are_no_others() -> None:
    packages = {f"processors.{folder.parent.name}" for folder in (ROOT / "processors").glob("*/__main__.py")}

    assert packages == {service.package for service in topics.PROCESSORS}


@pytest.mark.parametrize("name", STORES)
def test_a_service_describes_itself_as_the_list_does(name: str) -> None:
    described = import_module(f"{topics.service(name).package}.__main__").SERVICE

    assert described.topics is topics.service(name)


def test_a_replay_reads_and_publishes_the_topics_of_the_list() -> None:
    for processor in topics.PROCESSORS:
        service = import_module(f"{processor.package}.__main__").SERVICE
        spec = service.replay(service.settings.model_construct(orders="optional"))

        assert (spec.topics, spec.publishes, spec.service) == (processor.reads, processor.publishes, processor.name)


def test_the_local_stack_runs_each() -> None:
    local = {service.name: (service.module, service.store) for service in services.SERVICES}

    assert local == {"gateway": ("gateway", False), **{one.name: (one.package, True) for one in topics.SERVICES}}


def test_each_has_an_image() -> None:
    stages = re.findall(r"^FROM (?:top|processor) AS (\w+)$", text("Dockerfile"), re.MULTILINE)
    (said,) = re.findall(r"^# SERVICE is (.*)\.$", text("Dockerfile"), re.MULTILINE)

    assert set(stages) == IMAGES
    assert set(re.split(r", | or ", said)) == IMAGES


def test_each_has_a_locked_list_of_dependencies() -> None:
    (locks,) = re.findall(r"^LOCKS := (.*)$", text("Makefile"), re.MULTILINE)
    extras = tomllib.loads(text("pyproject.toml"))["project"]["optional-dependencies"]

    assert set(locks.split()) == LOCKS
    assert set(extras) == LOCKS | {"store"}
    assert {file.stem for file in (ROOT / "requirements").glob("*.lock")} == LOCKS


def test_compose_runs_each_with_its_migration_and_its_database() -> None:
    composed = yaml.safe_load(text("compose.yaml"))
    secret = yaml.safe_load(text("compose.secrets.yaml").replace("!reset ", ""))["services"]

    sim = composed["services"]["sim"]["environment"]

    for name in STORES:
        assert {name, f"migrate-{name}"} <= composed["services"].keys()
        assert {name, f"migrate-{name}"} <= secret.keys()
        assert {f"{name.upper()}_DATABASE_URL", f"{name.upper()}_MANAGEMENT_URL"} <= sim.keys()
    assert [loop.split() for loop in LOOP.findall(text("compose.yaml"))] == [STORES]


def test_the_check_of_compose_makes_the_secrets_of_each() -> None:
    assert [loop.split() for loop in LOOP.findall(text(".ci/compose"))] == [STORES]
