"""The server while it works: who is connected and waits, how much is written, what is large, unused or slow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workflow_store.errors import InvalidField
from workflow_store.operations.administration import Administrator, administering, composed, translated
from workflow_store.operations.servers import admin_server
from workflow_store.queries.monitor import (
    ACTIVITY,
    BLOCKED,
    COUNTERS,
    MONITOR_INDEXES,
    MONITOR_TABLES,
    ActivityRow,
    BlockedRow,
    CheckpointsRow,
    CountersRow,
    IndexRow,
    StatementRow,
    TableRow,
)
from workflow_store.settings import Settings


@dataclass(frozen=True, slots=True)
class Rates:
    """What happened between two samples, a second.

    Attributes:
        seconds: between them.
        inserted, updated, deleted: rows of all tables of the schema.
        commits: transactions of this database.
        wal_bytes: of the whole server.
        checkpoints: of the whole server, in all and not a second.
        hit_ratio: of the pages that were needed, how many were in memory; None where none was.
    """

    seconds: float
    inserted: float
    updated: float
    deleted: float
    commits: float
    wal_bytes: float
    checkpoints: int
    hit_ratio: float | None


@dataclass(frozen=True, slots=True)
class Sample:
    """The server at one moment.

    Attributes:
        taken_at: when.
        version: of the server.
        counters: since the server's statistics began.
        checkpoints: likewise.
        activity: connections by state.
        blocked: who waits for whom.
        tables: the largest first.
        indexes: the least used first.
        statements: the ten that took most time; None where pg_stat_statements is not installed.
        rates: since the sample before, or None for the first.
    """

    taken_at: datetime
    version: int
    counters: CountersRow
    checkpoints: CheckpointsRow
    activity: tuple[ActivityRow, ...]
    blocked: tuple[BlockedRow, ...]
    tables: tuple[TableRow, ...]
    indexes: tuple[IndexRow, ...]
    statements: tuple[StatementRow, ...] | None
    rates: Rates | None

    @property
    def hit_ratio(self) -> float | None:
        """Of all pages that were ever needed, how many were in memory."""
        return _hit_ratio(self.counters.hits, self.counters.reads)


class Monitor:
    """A connection that looks; ``watching`` makes one."""

    def __init__(self, admin: Administrator) -> None:
        self._admin = admin
        self._before: tuple[float, Sample] | None = None

    async def sample(self) -> Sample:
        """The server now, and what happened since the last time.

        Raises:
            ServerError: it does not say.
        """
        admin, version = self._admin, self._admin.connection.info.server_version
        now = time.monotonic()
        (counters,) = await admin.fetch(COUNTERS.name)
        (checkpoints,) = await admin.fetch("monitor/checkpoints" if version >= 170_000 else "monitor/checkpoints_16")
        sample = Sample(
            taken_at=datetime.now(UTC),
            version=version,
            counters=CountersRow._make(counters),
            checkpoints=CheckpointsRow._make(checkpoints),
            activity=tuple(map(ActivityRow._make, await admin.fetch(ACTIVITY.name))),
            blocked=tuple(map(BlockedRow._make, await admin.fetch(BLOCKED.name))),
            tables=tuple(map(TableRow._make, await admin.fetch(MONITOR_TABLES.name))),
            indexes=tuple(map(IndexRow._make, await admin.fetch(MONITOR_INDEXES.name))),
            statements=await self._statements(),
            rates=self._rates(now, CountersRow._make(counters), CheckpointsRow._make(checkpoints)),
        )
        self._before = (now, sample)
        return sample

    async def _statements(self) -> tuple[StatementRow, ...] | None:
        found = await self._admin.fetch("monitor/statements_schema")
        if not found:
            return None
        with translated():
            cursor = await self._admin.connection.execute(composed("monitor/statements", {"schema": found[0][0]}))
            return tuple(map(StatementRow._make, await cursor.fetchall()))

    def _rates(self, now: float, counters: CountersRow, checkpoints: CheckpointsRow) -> Rates | None:
        if self._before is None:
            return None
        then, before = self._before
        seconds = max(now - then, 1e-6)
        old = before.counters
        # Statistics may have been reset, or the server restarted: nothing was undone by that.
        since = [max(0, new - former) for new, former in zip(counters, old, strict=True)]
        grown = CountersRow._make(since)
        return Rates(
            seconds=seconds,
            inserted=grown.inserted / seconds,
            updated=grown.updated / seconds,
            deleted=grown.deleted / seconds,
            commits=grown.commits / seconds,
            wal_bytes=grown.wal_bytes / seconds,
            checkpoints=max(0, sum(checkpoints) - sum(before.checkpoints)),
            hit_ratio=_hit_ratio(grown.hits, grown.reads),
        )


def _hit_ratio(hits: int, reads: int) -> float | None:
    return hits / (hits + reads) if hits + reads else None


@asynccontextmanager
async def watching(settings: Settings | None = None, **overrides: Any) -> AsyncGenerator[Monitor]:
    """A monitor of the server of the settings, for as long as the block lasts.

    Args:
        settings: read from the environment and the settings file where not given; ``admin_dsn`` names the server, and a
            role that is a member of ``pg_monitor``, for the statements of others.
        overrides: single settings by name.

    Raises:
        ServerUnavailable: no connection.
    """
    async with admin_server(Settings.chosen(settings, overrides)) as dsn, administering(dsn) as admin:
        yield Monitor(admin)


async def take_sample(settings: Settings | None = None, *, over: float = 1.0, **overrides: Any) -> Sample:
    """One sample with the rates of so many seconds.

    Raises:
        InvalidField: ``over`` is not above 0.
        ServerUnavailable: no connection.
    """
    if not 0 < over < float("inf"):
        raise InvalidField("over", "seconds above 0")
    async with watching(settings, **overrides) as monitor:
        await monitor.sample()
        await asyncio.sleep(over)
        return await monitor.sample()
