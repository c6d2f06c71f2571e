"""CPU per accepted, durable webhook, beside a bare Litestar handler on the same server: `python -m bench.gateway`."""

import asyncio
import hmac
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from bench.load import Cost, post, resident_mb
from local import stack

ROUNDS = 4
REQUESTS = 6000
CONNECTIONS = 64
ROOT = Path(__file__).parent.parent


def main() -> None:
    """Start both servers, measure them in turn, and print the ratios."""
    bare_port = _free_port()
    with tempfile.TemporaryDirectory() as data, stack.everything(ROOT, Path(data)) as env:
        bare = subprocess.Popen([sys.executable, "-m", "bench.bare", str(bare_port)], cwd=ROOT)
        try:
            _until_listening(bare_port)
            gateway = int((Path(data) / "env").read_text().partition("GATEWAY_PID=")[2].partition("\n")[0])
            port = int(env["GATEWAY_URL"].rpartition(":")[2])
            _rounds((bare_port, bare.pid), (port, gateway), env["WEBHOOK_SECRET"].encode())
        finally:
            bare.kill()


def _rounds(bare: tuple[int, int], gateway: tuple[int, int], secret: bytes) -> None:
    ratios = []
    for number in range(ROUNDS + 1):
        sides = {"bare": bare, "gateway": gateway}
        order = sorted(sides, reverse=bool(number % 2))
        costs = {name: asyncio.run(post(*sides[name], _requests(secret), CONNECTIONS)) for name in order}
        if number:  # the first round warms both up
            ratios.append(costs["gateway"].cpu_us / costs["bare"].cpu_us)
            print(_line("bare @post", costs["bare"]), "|", _line("gateway", costs["gateway"]), f"| {ratios[-1]:.2f}")
    print(f"CPU ratio min {min(ratios):.2f} median {statistics.median(ratios):.2f} max {max(ratios):.2f}")
    print(f"memory: bare {resident_mb(bare[1]):.0f} MB, gateway {resident_mb(gateway[1]):.0f} MB")


def _line(name: str, cost: Cost) -> str:
    return f"{name} {cost.cpu_us:5.0f} us, {cost.requests / cost.seconds:6.0f}/s"


def _requests(secret: bytes) -> list[bytes]:
    return [_request(secret) for _ in range(REQUESTS)]


def _request(secret: bytes) -> bytes:
    order = uuid.uuid4().hex[:12]  # noqa: TID251 - a benchmark's orders are new each time
    told = {
        "type": "payment",
        "orderId": order,
        "status": "completed",
        "paymentMethod": "card",
        "transactionId": f"TXN-{order}",
        "amount": 58000,
        "paidAt": "2023-11-15T10:30:00Z",
    }
    body = json.dumps(told).encode()
    signature = hmac.digest(secret, body, "sha256").hex()
    head = (
        f"POST /webhooks/payment HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"X-Webhook-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _until_listening(port: int) -> None:
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)


if __name__ == "__main__":
    main()
