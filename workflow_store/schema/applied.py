"""Which migrations a database has, held against those this version knows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import asyncpg

from workflow_store import resources
from workflow_store.errors import PermissionDenied, SchemaMissing, SchemaOutdated, SchemaTooNew
from workflow_store.schema.folder import migration_files

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy


async def check(connection: asyncpg.Connection[Any] | PoolConnectionProxy[Any]) -> None:
    """Check that a database has the schema this version needs: one query, and no lock.

    Args:
        connection: any connection, through a pooler too; best outside a transaction, since a missing schema aborts it.

    Raises:
        SchemaMissing: nothing was ever migrated here.
        SchemaOutdated: migrations are waiting.
        SchemaTooNew: there are migrations this version does not know.
        PermissionDenied: the role may not read the list of applied migrations.
    """
    known = [file.id for file in migration_files()]
    try:
        rows = await connection.fetch(resources.statement("schema/applied"))
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        rows = []
    except asyncpg.InsufficientPrivilegeError as error:
        raise PermissionDenied(f"the list of applied migrations can't be read: {error}", error.sqlstate) from None
    require_current(known, [row["migration_id"] for row in rows])


def require_current(known: Sequence[str], applied: Collection[str]) -> None:
    """Check that exactly the known migrations are applied; raises as :func:`check` does."""
    if not applied:
        raise SchemaMissing("the schema workflow_store is not in this database; `workflow-store db init` makes it")
    require_not_newer(known, applied)
    pending = [name for name in known if name not in applied]
    if pending:
        raise SchemaOutdated(f"migrations are waiting: {', '.join(pending)}; `workflow-store db upgrade` applies them")


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
