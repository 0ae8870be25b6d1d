"""What a clock does for the server: room and statistics of tables, bloated and broken indexes, old quarantine.

Nothing of it keeps a reader or a writer out; what waits five seconds for a lock is left for the next time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias

from pydantic import SecretStr

from workflow_store.errors import InvalidField, LockTimeout, ServerError, StoreError
from workflow_store.operations.administration import Administrator, administering
from workflow_store.operations.servers import admin_server
from workflow_store.queries.maintenance import CLEAN_PENDING, INDEXES, MAINTENANCE_LOCK, TABLES, IndexState, TableState
from workflow_store.settings import Settings
from workflow_store.store import WorkflowStore

Action: TypeAlias = Literal["vacuum", "analyze", "reindex", "drop_index", "clean_pending", "purge_quarantine"]
Outcome: TypeAlias = Literal["planned", "done", "failed"]

_MB: Final = 1_000_000
# Beyond what the server's own autovacuum leaves: a fifth of the rows, and not for a handful of them.
_DEAD: Final = (1_000, 0.10)
_INSERTED: Final = (10_000, 0.20)
_CHANGED: Final = (1_000, 0.10)
_FREEZE_AGE: Final = 150_000_000
# A new B-tree is estimated, so only one that is far above is built anew.
_BLOAT: Final = (10 * _MB, 2.0)
_LEFT_BEHIND: Final = re.compile(r"_cc(new|old)\d*$")


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do.

    Attributes:
        target: a table's or an index's name.
        reason: why, with the figures.
        outcome: whether it was done.
        seconds: how long that took.
        error: why it failed, or nothing.
    """

    action: Action
    target: str
    reason: str
    outcome: Outcome = "planned"
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class MaintenanceReport:
    """What was found and done.

    Attributes:
        tasks: in the order in which they were done.
        busy: somebody else is at it, so that nothing was done.
    """

    tasks: tuple[Task, ...]
    busy: bool = False

    @property
    def failed(self) -> tuple[Task, ...]:
        """Those that could not be done."""
        return tuple(task for task in self.tasks if task.outcome == "failed")


async def maintain(
    settings: Settings | None = None,
    *,
    dry_run: bool = False,
    quarantine_days: int | None = None,
    **overrides: Any,
) -> MaintenanceReport:
    """Do what is due for tables, indexes and the quarantine; one call at a time is at work on a database.

    Args:
        settings: read from the environment and the settings file where not given; ``admin_dsn`` names the owner of the
            tables, or a superuser.
        dry_run: only say what would be done, and why.
        quarantine_days: remove records that were last refused longer ago; None keeps them.
        overrides: single settings by name.

    Raises:
        InvalidField: ``quarantine_days`` is not 1 or more.
        ServerUnavailable: no connection.
    """
    if quarantine_days is not None and quarantine_days < 1:
        raise InvalidField("quarantine_days", "1 or more, or None")
    chosen = Settings.chosen(settings, overrides)
    async with admin_server(chosen) as dsn, administering(dsn) as admin:
        await admin.run("maintenance/patience", {})
        if not dry_run and not (await admin.fetch(MAINTENANCE_LOCK.name))[0][0]:
            return MaintenanceReport((), busy=True)
        tables = [TableState._make(row) for row in await admin.fetch(TABLES.name)]
        indexes = [IndexState._make(row) for row in await admin.fetch(INDEXES.name)]
        tasks = [*_for_tables(tables), *_for_indexes(indexes)]
        if not dry_run:
            tasks = [await _done(admin, task) for task in tasks]
        if quarantine_days is not None:
            tasks.append(await _purged(chosen, dsn, quarantine_days, dry_run=dry_run))
    return MaintenanceReport(tuple(tasks))


def _for_tables(tables: Sequence[TableState]) -> list[Task]:
    tasks: list[Task] = []
    for table in tables:
        if _is_over(table.dead, table.live, _DEAD):
            tasks.append(Task("vacuum", table.name, f"{table.dead:,} dead rows beside {table.live:,}"))
        elif _is_over(table.inserted, table.live, _INSERTED):
            tasks.append(Task("vacuum", table.name, f"{table.inserted:,} rows inserted since the last one"))
        elif table.age > _FREEZE_AGE:
            tasks.append(Task("vacuum", table.name, f"its oldest row is {table.age:,} transactions old"))
        elif not table.analyzed and table.live:
            tasks.append(Task("analyze", table.name, "there are no statistics"))
        elif _is_over(table.changed, table.live, _CHANGED):
            tasks.append(Task("analyze", table.name, f"{table.changed:,} rows changed since the last time"))
    return tasks


def _for_indexes(indexes: Sequence[IndexState]) -> list[Task]:
    tasks: list[Task] = []
    for index in indexes:
        if not index.is_valid:
            if _LEFT_BEHIND.search(index.name):
                tasks.append(Task("drop_index", index.name, "a REINDEX that was broken off left it behind"))
            else:
                tasks.append(Task("reindex", index.name, "it is not valid, and no query uses it"))
        elif index.needed is not None and _is_bloated(index.bytes, index.needed):
            said = f"{index.bytes / _MB:,.0f} MB, about {index.needed / _MB:,.0f} MB when new"
            tasks.append(Task("reindex", index.name, said))
        if index.is_valid and index.has_pending:
            tasks.append(Task("clean_pending", index.name, "what is not sorted in slows searches down"))
    return tasks


def _is_over(number: int, live: int, limit: tuple[int, float]) -> bool:
    return number > max(limit[0], live * limit[1])


def _is_bloated(bytes_: int, needed: int) -> bool:
    least, factor = _BLOAT
    return bytes_ - needed > least and bytes_ > factor * needed


async def _done(admin: Administrator, task: Task) -> Task:
    began = time.monotonic()
    try:
        match task.action:
            case "clean_pending":
                ((pages,),) = await admin.fetch(CLEAN_PENDING.name, task.target)
                task = replace(task, reason=f"{task.reason}; that were {pages:,} pages")
            case "vacuum" | "analyze":
                await admin.run(f"maintenance/{task.action}", {"table": task.target})
            case _:
                await admin.run(f"maintenance/{task.action}", {"index": task.target})
    except ServerError as error:
        reason = "a lock on it was not to be had" if isinstance(error, LockTimeout) else str(error)
        return replace(task, outcome="failed", seconds=time.monotonic() - began, error=reason)
    return replace(task, outcome="done", seconds=time.monotonic() - began)


async def _purged(settings: Settings, dsn: str, days: int, *, dry_run: bool) -> Task:
    task = Task("purge_quarantine", "ingest_quarantine", f"records that were last refused more than {days} days ago")
    if dry_run:
        return task
    began = time.monotonic()
    try:
        direct = settings.model_copy(update={"dsn": SecretStr(dsn), "pool_min_size": 1})
        async with WorkflowStore.open(direct) as store:
            removed = await store.quarantine.purge(older_than=timedelta(days=days))
    except StoreError as error:
        return replace(task, outcome="failed", seconds=time.monotonic() - began, error=str(error))
    reason = f"{removed:,} {task.reason}"
    return replace(task, reason=reason, outcome="done", seconds=time.monotonic() - began)
