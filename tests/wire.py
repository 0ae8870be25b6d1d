"""A proxy before the server that counts what goes over the wire: round trips, statements, bytes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, unquote, urlsplit

_LENGTH = 4
_CHUNK = 256 * 1024


@dataclass(slots=True)
class Wire:
    """What went over all connections since ``reset``.

    Attributes:
        dsn: URI of the server by way of the proxy.
        sent: messages of clients by their type: ``P`` parse, ``B`` bind, ``E`` execute, ``Q`` simple query, …
        received: messages of the server by their type: ``Z`` ready for a query, ``G`` ready for a COPY, …
        bytes_sent: bytes of clients.
        bytes_received: bytes of the server.
    """

    dsn: str
    sent: Counter[str] = field(default_factory=Counter[str])
    received: Counter[str] = field(default_factory=Counter[str])
    bytes_sent: int = 0
    bytes_received: int = 0

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
        self.bytes_sent = self.bytes_received = 0


@asynccontextmanager
async def wire(dsn: str) -> AsyncIterator[Wire]:
    """A proxy before the server of a URI, on a port of the loopback."""
    parts = urlsplit(dsn)
    query = parse_qs(parts.query)
    folder = query.get("host", [""])[0]
    port = int(query.get("port", [str(parts.port or 5432)])[0])
    user = f"{quote(unquote(parts.username or query.get('user', [''])[0]))}"
    password = f":{parts.password}" if parts.password else ""
    running: set[asyncio.Task[None]] = set()

    async def accept(client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        if folder.startswith("/"):
            server_in, server_out = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port}")
        else:
            server_in, server_out = await asyncio.open_connection(parts.hostname or folder, port)
        there = asyncio.create_task(_pass_on(client_in, server_out, counted.sent, _bytes_sent, starts_bare=True))
        back = asyncio.create_task(_pass_on(server_in, client_out, counted.received, _bytes_received))
        running.update((there, back))

    def _bytes_sent(number: int) -> None:
        counted.bytes_sent += number

    def _bytes_received(number: int) -> None:
        counted.bytes_received += number

    listening = await asyncio.start_server(accept, "127.0.0.1", 0)
    address = listening.sockets[0].getsockname()
    counted = Wire(f"postgresql://{user}{password}@127.0.0.1:{address[1]}{parts.path}?sslmode=disable")
    try:
        yield counted
    finally:
        listening.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _pass_on(
    source: asyncio.StreamReader,
    target: asyncio.StreamWriter,
    messages: Counter[str],
    add: Callable[[int], None],
    *,
    starts_bare: bool = False,
) -> None:
    """Pass bytes on until one side ends; the first message of a client has no type."""
    left, head, bare = 0, b"", starts_bare
    with suppress(ConnectionError):
        while chunk := await source.read(_CHUNK):
            add(len(chunk))
            rest = head + chunk
            at = 0
            while at < len(rest):
                if left:
                    step = min(left, len(rest) - at)
                    left -= step
                    at += step
                    continue
                begin = at if bare else at + 1
                if len(rest) < begin + _LENGTH:
                    break
                if not bare:
                    messages[chr(rest[at])] += 1
                left = int.from_bytes(rest[begin : begin + _LENGTH]) - _LENGTH
                at, bare = begin + _LENGTH, False
            head = rest[at:]
            target.write(chunk)
            await target.drain()
    target.close()
