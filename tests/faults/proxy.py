"""A proxy on the loopback between clients and the server: a network as bad as a test asks for.

All of it can be switched at any moment, for both directions or one, for all connections or one::

    async with Proxy.before(dsn) as proxy:
        store = await WorkflowStore.open(dsn=proxy.dsn)
        trap = proxy.trap("COMMIT", then="reset")    # the server commits, and its answer never arrives
        …
        await trap.sprung.wait()
        proxy.set(swallow=True, to="client")         # what the server sends disappears
        proxy.set(piece=1, tick=0.001)               # one byte in a millisecond
        proxy.connections[0].reset()                 # an RST to both sides
        proxy.clear()                                # a good network
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tests.faults.flows import BOTH, Connection, Direction, Flow, Side, Then, Totals, Trap

__all__ = ["Connection", "Direction", "Flow", "Proxy", "Side", "Then", "Trap"]

_BACKLOG = 100


class Proxy:
    """The proxy; ``before`` makes one.

    Attributes:
        dsn: URI of the server by way of the proxy.
        port: of 127.0.0.1; it stays the same after ``refuse``.
        opened: connections that came in all.
        turned_away: connections that were reset at once, or that the server did not take.
    """

    def __init__(self, dsn: str) -> None:
        parts = urlsplit(dsn)
        query = parse_qs(parts.query)
        host = query.get("host", [parts.hostname or "localhost"])[0]
        port = int(query.get("port", [str(parts.port or 5432)])[0])
        self._upstream: str | tuple[str, int] = f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._arriving: set[asyncio.Task[None]] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._flows: dict[Direction, Flow] = {"server": Flow(), "client": Flow()}
        self._resets_new = False
        self._totals = Totals()
        self.opened = 0
        self.turned_away = 0
        self.port = 0
        self.accept()
        user = quote(unquote(parts.username or query.get("user", [""])[0]))
        password = f":{parts.password}" if parts.password else ""
        self.dsn = f"postgresql://{user}{password}@127.0.0.1:{self.port}{parts.path}?sslmode=disable"

    @classmethod
    @asynccontextmanager
    async def before(cls, dsn: str) -> AsyncIterator[Proxy]:
        """A proxy before the server of a URI, which may listen on a Unix socket, for as long as the block lasts."""
        proxy = cls(dsn)
        try:
            yield proxy
        finally:
            await proxy.aclose()

    async def aclose(self) -> None:
        """End all connections and stop."""
        self.refuse()
        self.reset()
        tasks = [*self._arriving, *self._pumps]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # The sockets of the connections are closed when the loop has forgotten them.
        for _ in range(3):
            await asyncio.sleep(0)

    @property
    def connections(self) -> list[Connection]:
        """The open ones, oldest first."""
        return list(self._totals.connections)

    @property
    def sent(self) -> Counter[str]:
        """Messages of clients by their type: ``P`` parse, ``B`` bind, ``E`` execute, ``Q`` simple query, …"""
        return self._totals.sent

    @property
    def received(self) -> Counter[str]:
        """Messages of the server by their type: ``Z`` ready for a query, ``D`` a row, ``G`` ready for a COPY, …"""
        return self._totals.received

    @property
    def passed(self) -> Counter[Direction]:
        """Bytes that arrived, by where to."""
        return self._totals.passed

    @property
    def swallowed(self) -> int:
        """Bytes that never arrived."""
        return self._totals.swallowed

    def set(self, *, to: Direction | None = None, **changes: Any) -> None:
        """Change how all connections flow, those that are still to come too; the names are those of ``Flow``.

        Args:
            to: one direction; both without it.
            changes: ``swallow``, ``freeze``, ``latency``, ``piece``, ``tick``, ``cut_after``.
        """
        for direction in (to,) if to else BOTH:
            self._flows[direction] = replace(self._flows[direction], **changes)
        for connection in self.connections:
            connection.set(to=to, **changes)

    def clear(self) -> None:
        """A good network from now on: all flows, no traps, new connections welcome.

        What has a gap by now is reset, as a network that is back tells both sides.
        """
        self._totals.traps.clear()
        self._resets_new = False
        self._flows = {direction: Flow() for direction in BOTH}
        for connection in self.connections:
            connection.clear()
        self.accept()

    def trap(
        self,
        statement: str | Callable[[str], bool],
        *,
        then: Then,
        side: Side = "answer",
        after: int = 0,
        times: int | None = 1,
    ) -> Trap:
        """Wait for a statement, and do something to the connection that executes it.

        Args:
            statement: how it begins, after spaces and without regard to case; or what tells whether a text is meant.
            then, side, after, times: see ``Trap``.
        """
        if isinstance(statement, str):
            beginning = statement.casefold()
            trap = Trap(lambda text: text.lstrip().casefold().startswith(beginning), then, side, after, times)
        else:
            trap = Trap(statement, then, side, after, times)
        self._totals.traps.append(trap)
        return trap

    def reset(self) -> None:
        """An RST to both sides of all connections."""
        for connection in self.connections:
            connection.reset()

    def close(self) -> None:
        """A FIN to both sides of all connections."""
        for connection in self.connections:
            connection.close()

    def reset_new(self) -> None:
        """Connections that come from now on are accepted and reset at once."""
        self._resets_new = True

    def refuse(self) -> None:
        """Nothing listens any more: the system refuses new connections."""
        if self._listener is None or self._accepting is None:
            return
        self._accepting.cancel()
        self._arriving.add(self._accepting)
        self._accepting.add_done_callback(self._arriving.discard)
        asyncio.get_running_loop().remove_reader(self._listener)
        self._listener.close()
        self._listener = self._accepting = None

    def accept(self) -> None:
        """Listen, again on the same port."""
        if self._listener is not None:
            return
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(_BACKLOG)
        self.port = listener.getsockname()[1]
        self._listener = listener
        self._accepting = asyncio.create_task(self._accept(listener))

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            client, _ = await asyncio.get_running_loop().sock_accept(listener)
            self.opened += 1
            arriving = asyncio.create_task(self._arrive(client, self.opened))
            self._arriving.add(arriving)
            arriving.add_done_callback(self._arriving.discard)

    async def _arrive(self, client: socket.socket, number: int) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._resets_new:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            self.turned_away += 1
            return
        server = socket.socket(socket.AF_UNIX if isinstance(self._upstream, str) else socket.AF_INET)
        server.setblocking(False)
        try:
            await _connect(server, self._upstream)
        except OSError:
            self.turned_away += 1
            server.close()
            client.close()
            return
        except BaseException:
            server.close()
            client.close()
            raise
        flows = {direction: replace(flow) for direction, flow in self._flows.items()}
        connection = Connection(number, flows, client, server, self._totals)
        for pump in connection.pumps:
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)


async def _connect(server: socket.socket, address: str | tuple[str, int]) -> None:
    while True:
        # A full backlog of a Unix socket is no wait, it is an error.
        with suppress(BlockingIOError):
            await asyncio.get_running_loop().sock_connect(server, address)
            return
        await asyncio.sleep(0.01)
