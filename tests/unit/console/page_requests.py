"""Requests for pages as views and actions get them, from somebody who is logged in, with no service configured."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from console.web.page import PageRequest, Viewer
from console.web.records import Records
from console.web.services import Services
from runtime.clients.management_client import ManagementClient
from stream.avro.codec import Codec
from stream.avro.registry import CommittedRegistry
from stream.kafka.cluster import Cluster

KIM = Viewer("kim", frozenset({"auditor"}), "en", ZoneInfo("Asia/Seoul"), "csrf")
NOBODY_LISTENS = Cluster.of_environment({"KAFKA_BOOTSTRAP_SERVERS": "localhost:1"}, "tests")
SERVICES = Services(ManagementClient({}, None), {}, Records(NOBODY_LISTENS, Codec(CommittedRegistry()), "test"))


def page_request(
    path: str = "/",
    *,
    ids: tuple[str, ...] = (),
    query: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
) -> PageRequest:
    return PageRequest(KIM, path, query or {}, ids, 0, SERVICES, form or {})
