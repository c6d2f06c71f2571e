"""Ports for processes that tests start."""

import socket


def free_port() -> int:
    """Return an unused port of the loopback address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
