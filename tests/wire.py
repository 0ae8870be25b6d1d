"""What goes over the wire between clients and the server, counted: round trips, statements, bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.faults.proxy import Proxy


@dataclass(frozen=True, slots=True)
class Wire:
    """What went over all connections since ``reset``.

    Attributes:
        proxy: the proxy it goes by.
    """

    proxy: Proxy

    @property
    def dsn(self) -> str:
        """URI of the server by way of the proxy."""
        return self.proxy.dsn

    @property
    def sent(self) -> Counter[str]:
        """Messages of clients by their type."""
        return self.proxy.sent

    @property
    def received(self) -> Counter[str]:
        """Messages of the server by their type."""
        return self.proxy.received

    @property
    def bytes_sent(self) -> int:
        """Bytes of clients."""
        return self.proxy.passed["server"]

    @property
    def bytes_received(self) -> int:
        """Bytes of the server."""
        return self.proxy.passed["client"]

    @property
    def round_trips(self) -> int:
        """How often a client had to wait for the server: at each end of a command, and before the data of a COPY."""
        return self.received["Z"] + self.received["G"]

    @property
    def statements(self) -> int:
        """Statements that were executed; one executed for many tuples of arguments counts for each."""
        return self.sent["E"] + self.sent["Q"]

    @property
    def prepared(self) -> int:
        """Statements that were parsed because they had not been on their connection."""
        return self.sent["P"]

    def reset(self) -> None:
        self.sent.clear()
        self.received.clear()
        self.proxy.passed.clear()


@asynccontextmanager
async def wire(dsn: str) -> AsyncIterator[Wire]:
    """A proxy before the server of a URI, on a port of the loopback."""
    async with Proxy.before(dsn) as proxy:
        yield Wire(proxy)
