"""Ports of this machine."""

from __future__ import annotations

import socket


def free_port() -> int:
    """One on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether something does."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
