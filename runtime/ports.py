"""Whether a port is ours to listen on."""

import socket
import sys


def check(host: str, port: int) -> None:
    """Stop when somebody listens there: the server would share the port, and half the requests would go astray."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as taken:
            sys.exit(f"cannot start: {host}:{port} cannot be listened on ({taken.strerror}); set HOST or PORT")
