"""How the store is: its server, schema, contents, disks, log and backups, each checked, and one verdict of all."""

from __future__ import annotations

import asyncio
import platform
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from workflow_store import schema
from workflow_store.embedded.folder import data_home
from workflow_store.errors import SchemaMissing, StoreError
from workflow_store.operations.backup.folder import BackupFolder
from workflow_store.operations.figures import megabytes
from workflow_store.operations.servers import admin_server, direct_session
from workflow_store.queries.health import HEALTH_CONTENTS, HEALTH_SERVER, ServerHealthRow
from workflow_store.settings import Settings

Status: TypeAlias = Literal["healthy", "degraded", "unhealthy", "skipped"]
Overall: TypeAlias = Literal["healthy", "degraded", "unhealthy"]
Value: TypeAlias = int | float | str | None

_ORDER: Final[tuple[Overall, ...]] = ("healthy", "degraded", "unhealthy")
_LOG_TAIL: Final = 1_000_000
_LOG_LINE: Final = re.compile(
    rb"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\S* UTC \[\d+\].*?\b(ERROR|FATAL|PANIC):  (.*)$", re.MULTILINE
)
# What starts, stops and the first start of all write.
_USUAL: Final = re.compile(
    rb"the database system is (starting up|shutting down)|terminating connection due to admin"
    rb'|database "workflow_store" does not exist'
)

# Where a check becomes degraded, and where unhealthy.
_CONNECTIONS: Final = (0.8, 0.95)
_OLDEST_TRANSACTION: Final = (3600.0, 6 * 3600.0)
_LAG: Final = (30.0, 300.0)
# The server freezes old rows by itself from 200 million on, and takes no more writes near 2,100 million.
_WRAPAROUND: Final = (500_000_000, 1_500_000_000)
_DISK: Final = (0.15, 0.05)
_MEMORY: Final = (0.10, 0.03)
_BACKUP: Final = (timedelta(hours=24), timedelta(days=7))
_LOG_SINCE: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        status: ``skipped`` where there is nothing to look at: it counts for nothing.
        message: in words, for a person.
        values: what was measured, by name: bytes, seconds, counts.
    """

    status: Status
    message: str
    values: dict[str, Value] = field(default_factory=dict[str, Value])


@dataclass(frozen=True, slots=True)
class HealthReport:
    """All that was looked at.

    Attributes:
        timestamp: when it was made.
        overall_status: the worst of the checks.
        checks: by name.
        system_info: of the machine this runs on, and versions.
    """

    timestamp: datetime
    overall_status: Overall
    checks: dict[str, Check]
    system_info: dict[str, Value]

    def document(self) -> dict[str, Any]:
        """The report for JSON; the members of ``values`` stand beside ``status`` and ``message``."""
        return {
            "timestamp": self.timestamp.isoformat(),
            "overall_status": self.overall_status,
            "checks": {
                name: {"status": check.status, "message": check.message, **check.values}
                for name, check in self.checks.items()
            },
            "system_info": self.system_info,
        }


async def check_health(settings: Settings | None = None, **overrides: Any) -> HealthReport:
    """Look at everything; never raises for what it finds, a server that is away too.

    Args:
        settings: read from the environment and the settings file where not given. ``connect_timeout`` bounds the wait
            for the server.
        overrides: single settings by name.
    """
    chosen = Settings.chosen(settings, overrides)
    checks, server_version = await _of_the_server(chosen)
    checks |= await asyncio.to_thread(_of_the_machine, chosen)
    return HealthReport(
        timestamp=datetime.now(UTC),
        overall_status=_worst(check.status for check in checks.values()),
        checks=checks,
        system_info={
            "hostname": platform.node(),
            "platform": platform.platform(),
            "python": platform.python_version(),
            "workflow_store": metadata.version("workflow-store"),
            "postgresql": server_version,
        },
    )


async def _of_the_server(settings: Settings) -> tuple[dict[str, Check], str | None]:
    # A frozen server must not keep the answer back: the probe of a container is waited for a few seconds.
    quick = settings.model_copy(update={"command_timeout": settings.connect_timeout})
    try:
        async with admin_server(quick) as dsn, direct_session(dsn, quick) as session:
            row = await session.fetch_one(HEALTH_SERVER)
            checks = _server_checks(row)
            try:
                await schema.check(session.connection)
                checks["schema"] = Check("healthy", "every migration is applied")
                contents = await session.fetch_one(HEALTH_CONTENTS)
                checks["contents"] = Check(
                    "healthy",
                    f"{contents.workflows:,} workflows, {contents.quarantined:,} records in quarantine",
                    {"workflows": contents.workflows, "quarantined": contents.quarantined},
                )
            except SchemaMissing as error:
                checks["schema"] = Check("unhealthy", str(error))
            except StoreError as error:
                checks["schema"] = Check("degraded", str(error))
    except StoreError as error:
        return {"server": Check("unhealthy", str(error))}, None
    return checks, row.version


def _server_checks(row: ServerHealthRow) -> dict[str, Check]:
    return {
        "server": Check(
            "healthy",
            f"PostgreSQL {row.version} answers, a {'standby' if row.in_recovery else 'primary'}",
            {"version": row.version, "uptime_seconds": round(row.uptime), "in_recovery": int(row.in_recovery)},
        ),
        "database_size": Check("healthy", megabytes(row.database_bytes), {"bytes": row.database_bytes}),
        "connections": Check(
            _above(row.connections / row.max_connections, _CONNECTIONS),
            f"{row.connections} of {row.max_connections}",
            {"connections": row.connections, "max_connections": row.max_connections},
        ),
        "oldest_transaction": Check(
            _above(row.oldest_transaction or 0.0, _OLDEST_TRANSACTION),
            "none is open" if row.oldest_transaction is None else f"open for {row.oldest_transaction:,.0f} s",
            {"seconds": row.oldest_transaction},
        ),
        "wraparound": Check(
            _above(row.wraparound_age, _WRAPAROUND),
            f"the oldest transaction that is not frozen is {row.wraparound_age:,} back",
            {"age": row.wraparound_age},
        ),
        "replication": Check(
            "skipped" if not row.standbys and not row.in_recovery else _above(row.replication_lag or 0.0, _LAG),
            "no standby" if not row.standbys and not row.in_recovery else f"{row.replication_lag or 0.0:.1f} s behind",
            {"standbys": row.standbys, "lag_seconds": row.replication_lag},
        ),
    }


def _of_the_machine(settings: Settings) -> dict[str, Check]:
    embedded = settings.admin_dsn is None and settings.dsn is None
    home = data_home(settings)
    return {
        "disk": _disks([*([home] if embedded else []), settings.backup_folder, *_media(settings)]),
        "memory": _memory(Path("/proc/meminfo")),
        "log": _log(home / "server.log") if embedded else Check("skipped", "the server keeps its own"),
        "volume": _volume(home / "data") if embedded else Check("skipped", "the server keeps its own"),
        "backup": _backup(settings),
    }


def _media(settings: Settings) -> list[Path]:
    return [settings.media_dir.expanduser().absolute()] if settings.media_dir is not None else []


def _disks(folders: list[Path]) -> Check:
    statuses: list[Status] = []
    said: list[str] = []
    values: dict[str, Value] = {}
    seen: set[int] = set()
    for folder in folders:
        there = next(place for place in (folder, *folder.parents) if place.exists())
        device = there.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        usage = shutil.disk_usage(there)
        statuses.append(_below(usage.free / max(1, usage.total), _DISK))
        said.append(f"{megabytes(usage.free)} of {megabytes(usage.total)} free at {there}")
        values |= {f"free_bytes {there}": usage.free}
    return Check(_worst(statuses), ", ".join(said), values)


def _memory(path: Path) -> Check:
    try:
        lines = dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
        total, available = (int(lines[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    except (OSError, KeyError, ValueError):
        return Check("skipped", "this system does not say")
    said = f"{megabytes(available)} of {megabytes(total)} available"
    return Check(_below(available / total, _MEMORY), said, {"available_bytes": available, "total_bytes": total})


def _log(path: Path) -> Check:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _LOG_TAIL))
            text = file.read()
    except OSError:
        return Check("skipped", "there is no log yet")
    since = datetime.now(UTC) - _LOG_SINCE
    levels = [
        match[2].decode()
        for match in _LOG_LINE.finditer(text)
        if datetime.fromisoformat(match[1].decode()).replace(tzinfo=UTC) > since and not _USUAL.match(match[3])
    ]
    crashes, errors = levels.count("PANIC"), len(levels)
    status: Status = "unhealthy" if crashes else "degraded" if "FATAL" in levels else "healthy"
    return Check(status, f"{errors} errors in the last hour", {"errors": errors, "panics": crashes})


def _volume(cluster: Path) -> Check:
    if not cluster.is_dir():
        return Check("unhealthy", f"there is no data in {cluster}")
    return Check("healthy", str(cluster))


def _backup(settings: Settings) -> Check:
    folder = BackupFolder.of(settings)
    found = folder.list()
    if not found:
        if settings.backup_dir is None:
            return Check("skipped", "no backups: WORKFLOW_STORE_BACKUP_DIR is not set")
        return Check("unhealthy", f"there is no backup in {folder.path}")
    age = datetime.now(UTC) - found[0].created_at
    said = f"{found[0].name}, {age.total_seconds() / 3600:.1f} hours old"
    values: dict[str, Value] = {"name": found[0].name, "age_seconds": round(age.total_seconds())}
    return Check(_above(age, _BACKUP), said, values)


def _above(value: Any, limits: tuple[Any, Any]) -> Overall:
    return _graded(lambda limit: value > limit, limits)


def _below(value: float, limits: tuple[float, float]) -> Overall:
    return _graded(lambda limit: value < limit, limits)


def _graded(is_beyond: Callable[[Any], bool], limits: tuple[Any, Any]) -> Overall:
    return "unhealthy" if is_beyond(limits[1]) else "degraded" if is_beyond(limits[0]) else "healthy"


def _worst(statuses: Iterable[Status]) -> Overall:
    found = set(statuses)
    worst: Overall = "healthy"
    for status in _ORDER:
        if status in found:
            worst = status
    return worst
