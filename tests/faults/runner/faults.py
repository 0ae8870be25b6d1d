"""What is done to the server and the network while the tasks are at work, one fault after another."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import asyncpg

from tests.faults.flows import Direction, Side, Then
from tests.faults.proxy import Proxy
from tests.faults.runner.course import Course
from tests.faults.server import Server

_OTHER_BACKENDS: Final = """
SELECT pid FROM pg_catalog.pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
ORDER BY backend_start, pid
"""
_NETWORK: Final[Mapping[str, int]] = {
    "reset_all": 2,
    "reset_one": 4,
    "close_all": 1,
    "swallow": 3,
    "freeze_network": 3,
    "slow": 2,
    "byte_by_byte": 2,
    "late": 2,
    "cut": 4,
    "refuse": 2,
    "reset_new": 2,
    "catch_commit": 6,
    "catch_write": 4,
}
_SESSIONS: Final[Mapping[str, int]] = {"terminate": 5, "cancel_tasks": 4}
_PROCESSES: Final[Mapping[str, int]] = {"kill_backend": 2, "stop_server": 1, "kill_server": 1, "freeze_server": 2}
_WRITES: Final = ("INSERT", "UPDATE", "DELETE", "WITH", "MERGE", "COPY")
_THEN: Final[tuple[Then, ...]] = ("reset", "close", "swallow", "freeze")


class Faults:
    """Draws faults, makes each, and takes it away again.

    Attributes:
        made: how many, by name.
    """

    def __init__(self, seed: int, dsn: str, proxy: Proxy, server: Server | None, course: Course) -> None:
        self._draws = random.Random(f"{seed}/faults")
        self._dsn = dsn
        self._proxy = proxy
        self._server = server
        self._course = course
        self.made: Counter[str] = Counter()

    async def run(self) -> None:
        """Make faults until the run is over."""
        kinds = {**_NETWORK, **_SESSIONS, **(_PROCESSES if self._server is not None else {})}
        names, weights = list(kinds), list(kinds.values())
        while not self._course.over.is_set():
            # Both are drawn in any case, so that a seed means the same faults with whatever they meet.
            pause, (name,) = self._draws.uniform(0.05, 0.8), self._draws.choices(names, weights)
            if await self._is_over(pause):
                return
            self.made[name] += 1
            try:
                await getattr(self, f"_{name}")()
            finally:
                self._proxy.clear()

    async def _is_over(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._course.over.wait()
        return self._course.over.is_set()

    async def _for_a_while(self, longest: float = 1.5) -> None:
        await self._is_over(self._draws.uniform(0.1, longest))

    def _to(self) -> Direction | None:
        return self._draws.choice((None, "server", "client"))

    # --- the network ---

    async def _reset_all(self) -> None:
        self._proxy.reset()

    async def _close_all(self) -> None:
        self._proxy.close()

    async def _reset_one(self) -> None:
        place = self._draws.random()
        connections = self._proxy.connections
        if connections:
            connections[int(place * len(connections))].reset()

    async def _swallow(self) -> None:
        self._proxy.set(swallow=True, to=self._to())
        await self._for_a_while(3.0)

    async def _freeze_network(self) -> None:
        self._proxy.set(freeze=True, to=self._to())
        await self._for_a_while(3.0)

    async def _slow(self) -> None:
        self._proxy.set(piece=self._draws.choice((10, 100, 1_000)), tick=0.001, to=self._to())
        await self._for_a_while()

    async def _byte_by_byte(self) -> None:
        self._proxy.set(piece=1, tick=0.0, to=self._to())
        await self._for_a_while()

    async def _late(self) -> None:
        self._proxy.set(latency=self._draws.uniform(0.01, 0.3), to=self._to())
        await self._for_a_while()

    async def _cut(self) -> None:
        self._proxy.set(cut_after=self._draws.randrange(1, 20_000), to=self._draws.choice(("server", "client")))
        await self._for_a_while()

    async def _refuse(self) -> None:
        self._proxy.refuse()
        self._proxy.reset()
        await self._for_a_while(2.0)

    async def _reset_new(self) -> None:
        self._proxy.reset_new()
        self._proxy.reset()
        await self._for_a_while()

    async def _catch_commit(self) -> None:
        await self._catch(lambda text: text.startswith("COMMIT"))

    async def _catch_write(self) -> None:
        await self._catch(lambda text: _is_a_write(text))

    async def _catch(self, matches: Callable[[str], bool]) -> None:
        side: Side = self._draws.choice(("answer", "answer", "request"))
        then = self._draws.choice(_THEN)
        self._proxy.trap(matches, then=then, side=side, times=self._draws.choice((1, 3)))
        await self._for_a_while(1.0)

    # --- sessions ---

    async def _terminate(self) -> None:
        await self._on_backends(self._terminated)

    async def _terminated(self, beside: Any, pids: list[int]) -> None:
        for pid in pids:
            await beside.execute("SELECT pg_catalog.pg_terminate_backend($1)", pid)

    async def _on_backends(self, work: Any) -> None:
        share = self._draws.choice((0.0, 0.3, 1.0))
        order = random.Random(self._draws.random())
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            beside = await asyncpg.connect(self._dsn, timeout=5)
            try:
                pids = [row["pid"] for row in await beside.fetch(_OTHER_BACKENDS)]
                await work(beside, order.sample(pids, max(1, int(share * len(pids))) if pids else 0))
            finally:
                beside.terminate()

    async def _cancel_tasks(self) -> None:
        self._course.cancels = self._draws.choice((10, 50, 100))
        await self._for_a_while()
        self._course.cancels = 0

    # --- processes ---

    async def _kill_backend(self) -> None:
        async def kill(_beside: Any, pids: list[int]) -> None:
            for pid in pids[:1]:
                os.kill(pid, signal.SIGKILL)

        # The server ends all others and recovers.
        await self._on_backends(kill)
        await self._for_a_while()

    async def _stop_server(self) -> None:
        await self._away(Server.stop)

    async def _kill_server(self) -> None:
        await self._away(Server.kill)

    async def _away(self, end: Callable[[Server], None]) -> None:
        assert self._server is not None
        await asyncio.to_thread(end, self._server)
        try:
            await self._for_a_while()
        finally:
            await asyncio.to_thread(self._server.start)

    async def _freeze_server(self) -> None:
        assert self._server is not None
        await asyncio.to_thread(self._server.freeze)
        try:
            await self._for_a_while(3.0)
        finally:
            self._server.thaw()


def _is_a_write(text: str) -> bool:
    # Statements come from files that begin with comments.
    lines = (line for line in text.splitlines() if line and not line.startswith("--"))
    return next(lines, "").startswith(_WRITES)
