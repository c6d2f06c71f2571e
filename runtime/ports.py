"""Checks that a port is free before a server listens on it."""

import socket
import sys


def check(host: str, port: int) -> None:
    """Exit with a sentence if the port cannot be bound, as while another process listens on it.

    The gateway's own SO_REUSEPORT would let both listen, and the other would get a share of the requests.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as taken:
            sys.exit(f"cannot start: cannot listen on {host}:{port} ({taken.strerror}); set HOST or PORT")
