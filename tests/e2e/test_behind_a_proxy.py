"""Behind a real proxy (nginx, where it is installed), the gateway knows whom the proxy speaks for."""

import http.client
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from simulator import signing
from tests.actors import new_order, until
from tests.gateways import another_gateway
from tests.ports import free_port

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

CONFIGURATION = """
daemon off; master_process off; pid nginx.pid; error_log error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://{gateway};
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }}
    }}
}}
"""
ALLOWED, OTHER = "127.0.0.5", "127.0.0.9"


@contextmanager
def nginx_before(gateway: str, folder: Path) -> Iterator[int]:
    """The port of an nginx that passes on to `gateway`, host:port."""
    port = free_port()
    folder.chmod(0o755)
    (folder / "nginx.conf").write_text(CONFIGURATION.format(port=port, gateway=gateway))
    argv = [str(NGINX), "-p", str(folder), "-e", "error.log", "-c", str(folder / "nginx.conf")]
    with subprocess.Popen(argv) as process:
        try:
            until(lambda: listens(port), bool)
            yield port
        finally:
            process.terminate()


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def pay(port: int, secret: str, address: str, **headers: str) -> int:
    """The status of a signed payment that is posted from an address of this machine."""
    body = b'{"orderId": "%s", "status": "completed"}' % new_order().encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10, source_address=(address, 0))
    signed = {"Content-Type": "application/json", **signing.generic(body, secret.encode()), **named}
    connection.request("POST", "/webhooks/payment", body, signed)
    status = connection.getresponse().status
    connection.close()
    return status


def test_the_proxy_is_believed_and_its_clients_are_not(system: dict[str, str], tmp_path: Path) -> None:
    settings = {"GENERIC_ALLOWED_IPS": "127.0.0.4/30", "TRUSTED_PROXIES": "127.0.0.1/32"}
    with (
        another_gateway(system, **settings) as gateway,
        nginx_before(urlsplit(gateway.shop.url).netloc, tmp_path) as port,
    ):
        secret = system["WEBHOOK_SECRET"]
        allowed = pay(port, secret, ALLOWED)
        other = pay(port, secret, OTHER)
        claims = [
            pay(port, secret, OTHER, X_Forwarded_For=ALLOWED),
            pay(port, secret, OTHER, X_Forwarded_For=f"{ALLOWED}, 127.0.0.1"),
            pay(port, secret, OTHER, Forwarded=f"for={ALLOWED}"),
        ]

    assert allowed == 200
    assert other == 403
    assert claims == [403] * 3


def test_behind_a_proxy_each_client_has_a_rate_of_its_own(system: dict[str, str], tmp_path: Path) -> None:
    with (
        another_gateway(system, RATE_LIMIT="1/3", TRUSTED_PROXIES="127.0.0.1") as gateway,
        nginx_before(urlsplit(gateway.shop.url).netloc, tmp_path) as port,
    ):
        flood = [pay(port, "not the shop's secret", OTHER) for _ in range(10)]
        genuine = pay(port, system["WEBHOOK_SECRET"], ALLOWED)

    assert (flood[0], flood[-1]) == (401, 429)
    assert genuine == 200
