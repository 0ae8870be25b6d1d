"""Which migrations a database has, held against those this version knows."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import asyncpg

from workflow_store import resources
from workflow_store.errors import PermissionDenied, SchemaMissing, SchemaOutdated, SchemaTooNew
from workflow_store.schema.folder import migration_files

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy


_log = logging.getLogger("workflow_store.schema")


async def check(connection: asyncpg.Connection[Any] | PoolConnectionProxy[Any]) -> None:
    """Check that a database has the schema this version needs: one query, and no lock.

    Args:
        connection: any connection, through a pooler too; best outside a transaction, since a missing schema aborts it.

    Raises:
        SchemaMissing: nothing was ever migrated here.
        SchemaOutdated: migrations are waiting.
        SchemaTooNew: there are migrations this version does not know, but for the very next one, which is logged.
        PermissionDenied: the role may not read the list of applied migrations.
    """
    known = [file.id for file in migration_files()]
    try:
        rows = await connection.fetch(resources.statement("schema/applied"))
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        rows = []
    except asyncpg.InsufficientPrivilegeError as error:
        raise PermissionDenied(f"the list of applied migrations can't be read: {error}", error.sqlstate) from None
    require_usable(known, [row["migration_id"] for row in rows])


def require_usable(known: Sequence[str], applied: Collection[str]) -> None:
    """Check that the known migrations are applied, and at most the next one besides; raises as ``check`` does.

    A migration leaves the version before it working, which is at work while it rolls out.
    """
    if not applied:
        raise SchemaMissing("the schema workflow_store is not in this database; `workflow-store db init` makes it")
    next_one = [name for name in applied if name not in known and _number(name) == _number(known[-1]) + 1]
    if len(next_one) == 1:
        _log.warning(
            "the database is one migration ahead of this version of workflow-store: %s",
            next_one[0],
            extra={"event": "schema_ahead", "migration": next_one[0]},
        )
    require_not_newer({*known, *next_one}, applied)
    pending = [name for name in known if name not in applied]
    if pending:
        raise SchemaOutdated(f"migrations are waiting: {', '.join(pending)}; `workflow-store db upgrade` applies them")


def _number(name: str) -> int:
    digits = name.partition("_")[0]
    return int(digits) if digits.isdecimal() else -1


def require_not_newer(known: Collection[str], applied: Collection[str]) -> None:
    """Check that no unknown migration is applied.

    Raises:
        SchemaTooNew: there is one.
    """
    unknown = sorted(set(applied) - set(known))
    if unknown:
        raise SchemaTooNew(
            f"this version of workflow-store does not know these migrations of the database: {', '.join(unknown)}; "
            "a later version made them"
        )
