"""Responses that do not need the store, while it does not answer."""

import time

from litestar.testing import RequestFactory
from sqlalchemy import create_engine

from console.login.sessions import Sessions
from console.web.gate import SESSION, Gate
from console.web.rendering.assets import Assets
from console.web.rendering.renderer import Renderer
from console.web.rendering.texts import Texts
from console.web.routes.responder import Responder
from console.web.services import Services
from runtime.clients.management_client import ManagementClient

CLOSED_PORT = "postgresql+psycopg://127.0.0.1:1/nowhere"


def test_a_path_that_does_not_exist_is_not_found_without_the_store() -> None:
    sessions = Sessions("a token of some length")
    gate = Gate(sessions, {}, {"staff": frozenset({"viewer"})}, https=False)
    services = Services(ManagementClient({}, "", 1.0))
    responder = Responder(gate, Renderer(Texts(), Assets()), create_engine(CLOSED_PORT), services, configured=True)
    cookie = sessions.cookie(sessions.open(int(time.time()), "kim", groups=("staff",)))

    response = responder.not_found(RequestFactory().get("/nothing", headers={"Cookie": f"{SESSION}={cookie}"}))

    assert response.status_code == 404
    assert "kim" in response.content
