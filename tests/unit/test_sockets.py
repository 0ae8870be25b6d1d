from __future__ import annotations

import socket
from typing import Any

from workflow_store.database._pooled import widen


class Transport:
    """As much of a transport as is asked for."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def get_extra_info(self, name: str) -> Any:
        assert name == "socket"
        return self.sock


def room(sock: socket.socket) -> int:
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)


def test_a_socket_on_this_machine_takes_more_at_once() -> None:
    ours, other = socket.socketpair(socket.AF_UNIX)
    with ours, other:
        before = room(ours)

        widen(Transport(ours))

        assert room(ours) > before
        assert room(other) == before


def test_a_tcp_socket_is_left_to_the_kernel() -> None:
    with socket.socket(socket.AF_INET) as sock:
        before = room(sock)

        widen(Transport(sock))

        assert room(sock) == before


def test_nothing_is_done_without_a_socket() -> None:
    widen(None)
