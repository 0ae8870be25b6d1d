"""One connection by way of the proxy: how its two directions flow, and traps for statements."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tests.messages import Frames, Statements

Direction = Literal["server", "client"]
Side = Literal["answer", "request"]
Then = Literal["reset", "close", "swallow", "freeze"]

BOTH: tuple[Direction, ...] = ("server", "client")
_CHUNK = 256 * 1024
_GONE_AT_ONCE = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Flow:
    """How one direction of a connection flows.

    Attributes:
        swallow: bytes are taken and never arrive. Nothing arrives behind a gap, so a connection of which something was
            swallowed stays dead when this is switched off, and is reset when the network is cleared.
        freeze: nothing is taken: the sender comes to a stand when the buffers are full. Thawed, all of it arrives.
        latency: seconds for which every piece is held.
        piece: at most so many bytes at a time; 0 is no limit.
        tick: seconds between two pieces.
        cut_after: so many bytes still arrive, then the connection is reset; None is no end.
    """

    swallow: bool = False
    freeze: bool = False
    latency: float = 0.0
    piece: int = 0
    tick: float = 0.0
    cut_after: int | None = None


@dataclass(slots=True)
class Trap:
    """Waits for a statement to go by.

    Attributes:
        matches: whether the text of a statement is meant.
        then: what happens to the connection: ``reset``, ``close``, or what would have passed is swallowed or frozen.
        side: ``answer``: the server gets the statement, and its answer is caught; ``request``: it never gets it.
        after: bytes of the answer that still pass.
        times: how often it is set on a connection; None for ever.
        seen: how often the statement went by.
        snapped: how often it has done its work.
        sprung: set once it has.
    """

    matches: Callable[[str], bool]
    then: Then
    side: Side = "answer"
    after: int = 0
    times: int | None = 1
    seen: int = 0
    snapped: int = 0
    sprung: asyncio.Event = field(default_factory=asyncio.Event)

    def takes(self, text: str) -> bool:
        """Whether it is set on the connection that executes this statement."""
        if not self.matches(text):
            return False
        self.seen += 1
        if self.times == 0:
            return False
        self.times = None if self.times is None else self.times - 1
        return True


@dataclass(slots=True)
class Totals:
    """What all connections have in common.

    Attributes:
        sent: messages of clients by their type, see ``tests.messages``.
        received: messages of the server by their type.
        passed: bytes that arrived, by where to.
        swallowed: bytes that never arrived.
        traps: that are set.
        connections: the open ones, oldest first.
    """

    sent: Counter[str] = field(default_factory=Counter[str])
    received: Counter[str] = field(default_factory=Counter[str])
    passed: Counter[Direction] = field(default_factory=Counter[Direction])
    swallowed: int = 0
    traps: list[Trap] = field(default_factory=list[Trap])
    connections: list[Connection] = field(default_factory=list["Connection"])


class Connection:
    """One connection by way of the proxy.

    Attributes:
        number: counted from 1.
        open: whether it passes anything.
        flows: how it flows, by where to.
        passed: bytes that arrived, by where to.
        statements: how many were executed on it.
    """

    def __init__(
        self,
        number: int,
        flows: dict[Direction, Flow],
        client: socket.socket,
        server: socket.socket,
        totals: Totals,
    ) -> None:
        self.number = number
        self.flows = flows
        self.open = True
        self.passed: Counter[Direction] = Counter()
        self.statements = 0
        self._sockets: dict[Direction, socket.socket] = {"client": client, "server": server}
        self._totals = totals
        self._frames: dict[Direction, Frames] = {
            "server": Frames(starts_bare=True, counted=totals.sent),
            "client": Frames(counted=totals.received),
        }
        self._texts = Statements()
        self._trap: Trap | None = None
        self._left = 0
        self._dead: set[Direction] = set()
        self._changed = asyncio.Event()
        totals.connections.append(self)
        self.pumps = [asyncio.create_task(self._pump("server")), asyncio.create_task(self._pump("client"))]

    def set(self, *, to: Direction | None = None, **changes: Any) -> None:
        """Change how it flows, in one direction or both; the names are those of ``Flow``."""
        for direction in (to,) if to else BOTH:
            self.flows[direction] = replace(self.flows[direction], **changes)
        self._changed.set()
        self._changed = asyncio.Event()

    @property
    def is_dead(self) -> bool:
        """Whether something was swallowed, so that nothing will ever arrive in that direction."""
        return bool(self._dead)

    def clear(self) -> None:
        """Flow well again, without a trap; with a gap it can't, and is reset."""
        self._trap = None
        calm = Flow()
        self.set(**{name: getattr(calm, name) for name in Flow.__slots__})
        if self.is_dead:
            self.reset()

    def reset(self) -> None:
        """End it with an RST to both sides; what is under way is lost."""
        self._end(reset=True)

    def close(self) -> None:
        """End it with a FIN to both sides."""
        self._end(reset=False)

    def _end(self, *, reset: bool) -> None:
        if not self.open:
            return
        self.open = False
        self._totals.connections.remove(self)
        for pump in self.pumps:
            if pump is not asyncio.current_task():
                pump.cancel()
        for one in self._sockets.values():
            if reset and one.family != socket.AF_UNIX:
                with suppress(OSError):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _GONE_AT_ONCE)
            # The loop watches it for a pump until that has seen its cancellation.
            asyncio.get_running_loop().call_soon(asyncio.get_running_loop().call_soon, one.close)

    async def _pump(self, to: Direction) -> None:
        source = self._sockets["client" if to == "server" else "server"]
        loop = asyncio.get_running_loop()
        try:
            while self.open:
                await self._thaw(to)
                chunk = await loop.sock_recv(source, self.flows[to].piece or _CHUNK)
                # It may have been frozen while this waited.
                await self._thaw(to)
                if not chunk:
                    break
                self._look(chunk, to)
                await self._pass_on(chunk, to)
            if self.open and to not in self._dead:
                self._sockets[to].shutdown(socket.SHUT_WR)
        except OSError:
            self.reset()
        if all(pump.done() or pump is asyncio.current_task() for pump in self.pumps):
            self.close()

    def _look(self, chunk: bytes, to: Direction) -> None:
        frames = self._frames[to]
        for kind, payload in frames.feed(chunk):
            text = self._texts.executed(kind, payload) if to == "server" else None
            if text is None:
                continue
            self.statements += 1
            for trap in self._totals.traps:
                if trap.takes(text) and self._trap is None:
                    self._trap, self._left = trap, trap.after
        if to == "server":
            self._frames["client"].answers += frames.answers
            frames.answers = 0

    async def _pass_on(self, chunk: bytes, to: Direction) -> None:
        if self._trap is not None and (to == "server") == (self._trap.side == "request"):
            chunk = await self._snap(self._trap, chunk, to)
            await self._thaw(to)
        if self.flows[to].latency:
            await asyncio.sleep(self.flows[to].latency)
        while chunk and self.open:
            await self._thaw(to)
            flow = self.flows[to]
            if flow.swallow or to in self._dead:
                self._swallow(chunk, to)
                return
            step = min(flow.piece or _CHUNK, len(chunk))
            if flow.cut_after is not None:
                step = min(step, flow.cut_after)
                flow.cut_after -= step
            await self._write(chunk[:step], to)
            chunk = chunk[step:]
            if flow.cut_after == 0:
                self.reset()
            elif flow.tick:
                await asyncio.sleep(flow.tick)

    async def _snap(self, trap: Trap, chunk: bytes, to: Direction) -> bytes:
        """Do what a trap does; what is left of the bytes."""
        passed = min(self._left, len(chunk))
        if passed:
            await self._write(chunk[:passed], to)
            chunk = chunk[passed:]
            self._left -= passed
        if self._left or not chunk:
            return b""
        self._trap = None
        trap.snapped += 1
        match trap.then:
            case "freeze":
                self.set(freeze=True)
            case "swallow":
                self._dead |= {*BOTH}
            case "reset":
                self.reset()
            case "close":
                self.close()
        trap.sprung.set()
        return chunk

    def _swallow(self, chunk: bytes, to: Direction) -> None:
        self._dead.add(to)
        self._totals.swallowed += len(chunk)

    async def _write(self, data: bytes, to: Direction) -> None:
        await asyncio.get_running_loop().sock_sendall(self._sockets[to], data)
        self.passed[to] += len(data)
        self._totals.passed[to] += len(data)

    async def _thaw(self, to: Direction) -> None:
        while self.flows[to].freeze:
            await self._changed.wait()
