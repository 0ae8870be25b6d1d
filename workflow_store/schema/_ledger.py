"""yoyo on a connection that is ours: it runs the steps and keeps the list of what is applied."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# yoyo has no types.

from __future__ import annotations

import socket
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
from yoyo import exceptions
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI
from yoyo.migrations import Migration as Steps

from workflow_store.errors import LockTimeout
from workflow_store.schema.folder import MigrationFile

_MIGRATION_TABLE = "_yoyo_migration"


class Ledger(PostgresqlPsycopgBackend):  # type: ignore[misc]
    """yoyo's backend over one connection in autocommit mode, with its tables in the schema ``workflow_store``.

    A migration's steps and its entry in the list are one transaction, so that a kill finds both or neither. yoyo's
    own way is two transactions on two connections.

    Args:
        connection: holds the advisory lock; the caller closes it.
        files: every migration there is, in order.
        lock_timeout: seconds to wait for yoyo's own lock.
    """

    def __init__(
        self, connection: psycopg.Connection[Any], files: tuple[MigrationFile, ...], lock_timeout: float
    ) -> None:
        self._given = connection
        # yoyo finds what a migration depends on among those it was told of before, applied or not.
        self._steps = {file.id: Steps(file.id, str(file.path), source_dir=str(file.path.parent)) for file in files}
        self._lock_timeout = lock_timeout
        super().__init__(
            DatabaseURI("postgresql", None, None, None, None, connection.info.dbname, {}), _MIGRATION_TABLE
        )

    def connect(self, dburi: object) -> psycopg.Connection[Any]:
        """The given connection: yoyo reads URIs by rules of its own, which leave out much of what libpq knows."""
        self.schema = "workflow_store"
        return self._given

    def prepare(self) -> None:
        """Make yoyo's own tables where they are missing, and remove the lock of a migrator that was killed.

        To be called under the advisory lock: whoever wrote the row in yoyo's lock table is gone then.
        """
        if self.lock_table not in self.list_tables():
            self.create_lock_table()
        self.break_lock()
        self.ensure_internal_schema_updated()

    def apply(self, file: MigrationFile) -> None:
        """Run a migration and enter it in the list, as one transaction.

        One that says ``-- transactional: false`` is entered after its steps, and must be able to run again.

        Raises:
            psycopg.Error: the server refused a step; nothing of the migration is there.
            LockTimeout: yoyo itself is at work, started by hand.
        """
        self._run(file, "apply")

    def revert(self, file: MigrationFile) -> None:
        """Roll a migration back and strike it from the list; the counterpart of ``apply``."""
        self._run(file, "rollback")

    def _run(self, file: MigrationFile, direction: str) -> None:
        steps = self._steps[file.id]
        steps.load()
        try:
            with self.lock(self._lock_timeout):  # pyright: ignore[reportArgumentType]
                if not steps.use_transactions:
                    steps.process_steps(self, direction)
                with self.transaction():
                    if steps.use_transactions:
                        steps.process_steps(self, direction)
                    self.log_migration(steps, direction)
                    (self.mark_one if direction == "apply" else self.unmark_one)(steps, log=False)
        except exceptions.LockTimeout as error:
            raise LockTimeout(f"{file.id}: yoyo's own lock is held: {error}") from None

    def get_log_data(self, migration: Any = None, operation: str = "apply") -> dict[str, Any]:
        """The entry in yoyo's log: the server's user, since a container's need not have a name, and no look-up of the
        host in the DNS."""
        return {
            "id": str(uuid4()),
            "migration_id": migration.id if migration else None,
            "migration_hash": migration.hash if migration else None,
            "username": self._given.info.user,
            "hostname": socket.gethostname(),
            "created_at_utc": datetime.now(UTC).replace(tzinfo=None),
            "operation": operation,
        }

    # After a lost connection yoyo's cleaning up fails as well, and would hide why.

    def rollback(self) -> None:
        """End the transaction, if there still is a connection."""
        if not self._given.closed:
            super().rollback()

    def savepoint_rollback(self, id: str) -> None:
        """End the savepoint, if there still is a connection."""
        if not self._given.closed:
            super().savepoint_rollback(id)

    def _delete_lock_row(self, pid: int) -> None:
        if not self._given.closed:
            super()._delete_lock_row(pid)
