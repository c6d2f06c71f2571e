"""Responses that do not need the store, while it does not answer."""

import time

import pytest
from litestar.testing import RequestFactory
from sqlalchemy import create_engine

from console.login.passwords import make_hash
from console.login.sessions import Sessions
from console.login.users import parse as parse_users
from console.queries.criteria import BadParameter
from console.web.gate import SESSION, Gate
from console.web.records import Records
from console.web.rendering.assets import Assets
from console.web.rendering.renderer import Renderer
from console.web.rendering.texts import Texts
from console.web.routes.responder import Responder
from console.web.services import Services
from runtime.clients.management_client import ManagementClient
from stream.kafka.cluster import Cluster
from tests.log import CODEC

CLOSED_PORT = "postgresql+psycopg://127.0.0.1:1/nowhere"
RECORDS = Records(Cluster("127.0.0.1:1", "console", "", {}), CODEC, "test")


def test_a_nul_character_is_a_bad_parameter() -> None:
    gate = Gate(Sessions("a token of some length"), {}, {}, https=False)
    services = Services(ManagementClient({}, "", 1.0), {}, RECORDS)
    responder = Responder(gate, Renderer(Texts(), Assets()), create_engine(CLOSED_PORT), services, configured=True)
    plain, nul = RequestFactory().get("/audit"), RequestFactory().get("/audit", query_params={"user": "a\0b"})
    entry = gate.anonymous(plain, int(time.time()))

    assert responder.page_request(plain, entry, lists={"user": ("kim",)}).viewer == entry.viewer
    with pytest.raises(BadParameter, match="user has a NUL"):
        responder.page_request(nul, entry)
    with pytest.raises(BadParameter, match="user has a NUL"):
        responder.page_request(plain, entry, lists={"user": ("kim", "a\0b")})


def test_a_filter_without_a_value_is_no_filter() -> None:
    gate = Gate(Sessions("a token of some length"), {}, {}, https=False)
    services = Services(ManagementClient({}, "", 1.0), {}, RECORDS)
    responder = Responder(gate, Renderer(Texts(), Assets()), create_engine(CLOSED_PORT), services, configured=True)
    sent = RequestFactory().get("/issues", query_params={"state": "", "service": " ", "hours": "24"})

    assert responder.page_request(sent, gate.anonymous(sent, 0)).query == {"hours": "24"}


def test_only_a_name_that_can_log_in_may_have_sessions() -> None:
    users = parse_users(f"kim:viewer:{make_hash('a password')}")
    sessions = Sessions("a token of some length")

    assert Gate(sessions, users, {}, https=False).may_have_sessions("kim")
    assert not Gate(sessions, users, {}, https=False).may_have_sessions("nobody")
    assert Gate(sessions, users, {"staff": frozenset({"viewer"})}, https=False).may_have_sessions("nobody")


def test_a_path_that_does_not_exist_is_not_found_without_the_store() -> None:
    sessions = Sessions("a token of some length")
    gate = Gate(sessions, {}, {"staff": frozenset({"viewer"})}, https=False)
    services = Services(ManagementClient({}, "", 1.0), {}, RECORDS)
    responder = Responder(gate, Renderer(Texts(), Assets()), create_engine(CLOSED_PORT), services, configured=True)
    cookie = sessions.cookie(sessions.open(int(time.time()), "kim", groups=("staff",)))

    response = responder.not_found(RequestFactory().get("/nothing", headers={"Cookie": f"{SESSION}={cookie}"}))

    assert response.status_code == 404
    assert "kim" in response.content
