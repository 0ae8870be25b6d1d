"""The work of the child process: one direct connection, one lock, then what is waiting.

The lock is held by the very session that does the work. Were it another's, a killed migrator's lock could be free
while the server is still busy with its last step.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from workflow_store import resources
from workflow_store.conninfo import connection_parameters
from workflow_store.errors import (
    LockTimeout,
    MigrationFailed,
    PermissionDenied,
    ResourceError,
    ServerError,
    ServerUnavailable,
    SettingsError,
    StatementRejected,
)
from workflow_store.schema._ledger import Ledger
from workflow_store.schema.applied import require_not_newer
from workflow_store.schema.folder import BASE, MigrationFile
from workflow_store.schema.report import Migration, MigrationReport, SchemaStatus

APPLICATION_NAME = "workflow-store schema"
"""How a migrator's session calls itself in ``pg_stat_activity``."""

_CONNECT_TIMEOUT = 10
_POLL = 0.1
_ERRORS_BY_CLASS: dict[str, type[ServerError]] = {
    "08": ServerUnavailable,
    "28": PermissionDenied,
    "53": ResourceError,
    "57": ServerUnavailable,
}
_ERRORS_BY_STATE: dict[str, type[ServerError]] = {"42501": PermissionDenied, "55P03": LockTimeout}


def migrate(
    dsn: str,
    files: tuple[MigrationFile, ...],
    *,
    to: str | None,
    compression: str,
    language: str,
    lock_timeout: float,
) -> MigrationReport:
    """Apply what is waiting, up to and with ``to``, then set the compression of wide columns."""
    started = time.monotonic()
    with _locked(dsn, lock_timeout) as connection:
        _fetch(connection, "language", language)
        ledger = _ledger(connection, files, lock_timeout)
        before = _known_applied(connection, files)
        waiting = [file for file in files if file.id not in before and (to is None or file.id <= to)]
        done = [file.id for file in _one_by_one(waiting, ledger.apply)]
        method, altered = _compress(connection, compression)
    return MigrationReport(
        applied=tuple(done),
        current=max([*before, *done], default=None),
        compression=method,
        altered=altered,
        seconds=time.monotonic() - started,
    )


def rollback(
    dsn: str, files: tuple[MigrationFile, ...], *, to: str | None, steps: int | None, lock_timeout: float
) -> MigrationReport:
    """Roll back to ``to``, which stays, or by a number of steps, the last one first."""
    started = time.monotonic()
    with _locked(dsn, lock_timeout) as connection:
        ledger = _ledger(connection, files, lock_timeout)
        before = _known_applied(connection, files)
        going = [file for file in reversed(files) if file.id in before]
        going = going[:steps] if to is None else [file for file in going if to == BASE or file.id > to]
        done = [file.id for file in _one_by_one(going, ledger.revert)]
    return MigrationReport(
        rolled_back=tuple(done),
        current=max(set(before) - set(done), default=None),
        seconds=time.monotonic() - started,
    )


def status(dsn: str, files: tuple[MigrationFile, ...]) -> SchemaStatus:
    """Which migrations are applied; takes no lock and changes nothing."""
    with _connected(dsn) as connection:
        applied = _applied(connection)
    known = {file.id for file in files}
    return SchemaStatus(
        migrations=tuple(
            Migration(id=file.id, applied=file.id in applied, applied_at=applied.get(file.id)) for file in files
        ),
        unknown=tuple(name for name in applied if name not in known),
    )


def drop(dsn: str, *, lock_timeout: float) -> None:
    """Remove the schema and all that is in it."""
    with _locked(dsn, lock_timeout) as connection:
        _fetch(connection, "drop")


@contextlib.contextmanager
def _connected(dsn: str) -> Generator[psycopg.Connection[Any]]:
    options = connection_parameters(dsn)
    options.setdefault("connect_timeout", str(_CONNECT_TIMEOUT))
    options.setdefault("application_name", APPLICATION_NAME)
    try:
        connection = psycopg.Connection.connect(autocommit=True, **options)  # type: ignore[arg-type]
    except psycopg.Error as error:
        message = f"no connection to the database {options.get('dbname')!r}: {_words(error)}"
        raise _ERRORS_BY_CLASS.get((error.sqlstate or "")[:2], ServerUnavailable)(message, error.sqlstate) from None
    with contextlib.closing(connection):
        try:
            yield connection
        except psycopg.Error as error:
            raise _translated(error, connection) from None


@contextlib.contextmanager
def _locked(dsn: str, lock_timeout: float) -> Generator[psycopg.Connection[Any]]:
    deadline = time.monotonic() + lock_timeout
    with _connected(dsn) as connection:
        _refuse_a_pooler(connection)
        _fetch(connection, "session", str(max(1, round(lock_timeout * 1000))))
        with contextlib.suppress(psycopg.errors.InvalidParameterValue):
            _fetch(connection, "watch_client")
        while not _fetch(connection, "lock")[0].locked:
            if time.monotonic() >= deadline:
                raise LockTimeout(f"another migrator has held the lock for more than {lock_timeout:g} s")
            time.sleep(_POLL)
        yield connection


def _refuse_a_pooler(connection: psycopg.Connection[Any]) -> None:
    if _fetch(connection, "state")[0].backend_pid != connection.info.backend_pid:
        raise SettingsError(
            "a pooler stands between this program and the server, and a migrator's lock belongs to one session: "
            "set WORKFLOW_STORE_ADMIN_DSN to a direct connection"
        )


def _ledger(connection: psycopg.Connection[Any], files: tuple[MigrationFile, ...], lock_timeout: float) -> Ledger:
    if not _fetch(connection, "state")[0].has_schema:
        _fetch(connection, "create")
    ledger = Ledger(connection, files, lock_timeout)
    ledger.prepare()
    return ledger


def _applied(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    if not _fetch(connection, "state")[0].has_migrations:
        return {}
    return {row.migration_id: row.applied_at for row in _fetch(connection, "applied")}


def _known_applied(connection: psycopg.Connection[Any], files: tuple[MigrationFile, ...]) -> dict[str, Any]:
    applied = _applied(connection)
    require_not_newer([file.id for file in files], applied)
    return applied


def _one_by_one(files: list[MigrationFile], act: Callable[[MigrationFile], None]) -> list[MigrationFile]:
    done: list[MigrationFile] = []
    for file in files:
        try:
            act(file)
        except psycopg.Error as error:
            before = f"; done before it: {', '.join(each.id for each in done)}" if done else ""
            raise MigrationFailed(f"{file.id}: {_words(error)}{before}") from None
        done.append(file)
    return done


def _compress(connection: psycopg.Connection[Any], compression: str) -> tuple[str, tuple[str, ...]]:
    plan = _fetch(connection, "compression", compression)[0]
    try:
        with connection.transaction():
            for statement in plan.statements:
                connection.execute(statement.encode())
    except psycopg.Error as error:
        raise MigrationFailed(f"compression {plan.method}: {_words(error)}") from None
    return plan.method, tuple(plan.statements)


def _fetch(connection: psycopg.Connection[Any], name: str, *parameters: str) -> list[Any]:
    with psycopg.RawCursor(connection, row_factory=namedtuple_row) as cursor:
        cursor.execute(resources.statement(f"schema/{name}").encode(), parameters or None)
        return cursor.fetchall() if cursor.description else []


def _words(error: psycopg.Error) -> str:
    """The server's words on one line, with its hint and its code where it gave them."""
    told = [error.diag.message_primary, error.diag.message_detail, error.diag.message_hint]
    words = "; ".join(part for part in told if part) or " ".join(str(error).split())
    return f"{words} ({error.sqlstate})" if error.sqlstate else words


def _translated(error: psycopg.Error, connection: psycopg.Connection[Any]) -> ServerError:
    state = error.sqlstate or ""
    kind = _ERRORS_BY_STATE.get(state) or _ERRORS_BY_CLASS.get(state[:2], StatementRejected)
    return (ServerUnavailable if connection.closed else kind)(_words(error), error.sqlstate)
