"""The schema's functions: each runs one child process, which connects by libpq's rules and holds the lock."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from workflow_store.errors import InvalidField
from workflow_store.schema import child
from workflow_store.schema.folder import migration_files, require_known
from workflow_store.schema.report import MigrationReport, SchemaStatus
from workflow_store.schema.secret import require_uri

COMPRESSIONS = ("auto", "lz4", "pglz", "none")


async def migrate(
    dsn: str,
    *,
    to: str | None = None,
    compression: str = "auto",
    language: str = "english",
    folder: Path | None = None,
    lock_timeout: float = 60.0,
    timeout: float = 600.0,
) -> MigrationReport:
    """Apply the migrations that are waiting, and set how large values are compressed.

    Any number of processes may call this at once: each migration is applied once. A call that finds nothing to do
    changes nothing. Whatever moment it is killed at, a migration is there as a whole or not at all, and the next call
    goes on from there.

    Args:
        dsn: URI of a direct connection, of a role that may create the schema.
        to: the last migration to apply; None applies all. Nothing is rolled back.
        compression: ``auto`` (lz4 where the server has it, else pglz), ``lz4``, ``pglz`` or ``none``, for rows written
            from now on.
        language: the text search configuration that search is made with, such as ``english`` or ``simple``; it counts
            only where the schema is made, and stays.
        folder: other migrations than this installation's.
        lock_timeout: seconds to wait for another migrator, and for each lock that a step needs.
        timeout: seconds for all of it.

    Raises:
        InvalidField: there is no such migration or compression.
        SettingsError: the DSN can't be used, or leads to a pooler.
        ServerUnavailable: no connection.
        LockTimeout: another migrator is at work.
        CommandTimeout: not done in time; what was applied stays.
        SchemaTooNew: a later version migrated this database.
        MigrationFailed: the server refused a step. The message names the migration and says the server's words;
            nothing of it is there, those before it stay.
    """
    require_uri(dsn)
    secret = SecretStr(dsn)
    del dsn
    require_known(migration_files(folder), to)
    if compression not in COMPRESSIONS:
        raise InvalidField("compression", f"can't be {compression!r}", COMPRESSIONS)
    arguments = [
        *("migrate", "--compression", compression, "--language", language),
        *_options(to=to, folder=folder, lock_timeout=lock_timeout),
    ]
    return MigrationReport.model_validate_json(await child.run(secret, *arguments, timeout=timeout))


async def rollback(
    dsn: str,
    *,
    to: str | None = None,
    steps: int | None = None,
    folder: Path | None = None,
    lock_timeout: float = 60.0,
    timeout: float = 600.0,
) -> MigrationReport:
    """Roll migrations back, the last one first; with their tables go the rows in them.

    Args:
        dsn: as for ``migrate``.
        to: the migration to stay as the last; ``base`` rolls back all.
        steps: how many to roll back; 1 where neither this nor ``to`` is given.
        folder: as for ``migrate``.
        lock_timeout: as there.
        timeout: as there.

    Raises:
        InvalidField: there is no such migration, or both ``to`` and ``steps`` are given.
        Others: as ``migrate``.
    """
    require_uri(dsn)
    secret = SecretStr(dsn)
    del dsn
    require_known(migration_files(folder), to, base=True)
    if to is not None and steps is not None:
        raise InvalidField("steps", "can't be given together with to")
    if steps is not None and steps < 1:
        raise InvalidField("steps", "must be at least 1")
    if to is None and steps is None:
        steps = 1
    arguments = ["rollback", *_options(to=to, steps=steps, folder=folder, lock_timeout=lock_timeout)]
    return MigrationReport.model_validate_json(await child.run(secret, *arguments, timeout=timeout))


async def status(dsn: str, *, folder: Path | None = None, timeout: float = 60.0) -> SchemaStatus:
    """Which migrations a database has; takes no lock and changes nothing.

    Raises:
        SettingsError: the DSN can't be used.
        ServerUnavailable: no connection.
        CommandTimeout: no answer in time.
    """
    require_uri(dsn)
    secret = SecretStr(dsn)
    del dsn
    migration_files(folder)
    return SchemaStatus.model_validate_json(
        await child.run(secret, "status", *_options(folder=folder), timeout=timeout)
    )


async def drop_all(dsn: str, *, lock_timeout: float = 60.0, timeout: float = 600.0) -> None:
    """Remove the schema ``workflow_store`` with all its tables, rows and the list of migrations.

    Raises: as ``migrate``.
    """
    require_uri(dsn)
    secret = SecretStr(dsn)
    del dsn
    await child.run(secret, "drop", *_options(lock_timeout=lock_timeout), timeout=timeout)


def _options(**given: object) -> list[str]:
    return [
        part
        for name, value in given.items()
        if value is not None
        for part in (f"--{name.replace('_', '-')}", str(value))
    ]
