"""Every exception the library raises, in one tree.

::

    StoreError
    ├── MisuseError                  the call was wrong; nothing was sent
    │   ├── InvalidField             a name or value that is not allowed
    │   ├── InvalidCursor            a page cursor of another listing
    │   ├── SettingsError            WORKFLOW_STORE_* or the settings file
    │   ├── StoreClosed              the store is not open, or belongs to another event loop
    │   └── ConnectionUnusable       a connection or pool of the caller's that can't be used now
    ├── RecordError                  one record is at fault
    │   ├── AlreadyExists            its id is in the store
    │   ├── LeaseLost                another scraper has claimed it since
    │   ├── InvalidRecord            it can't be stored as it is
    │   └── InvalidJson              text that is not storable JSON
    │       └── DocumentTooLarge     above ``max_document_bytes``
    ├── IngestError                  an ingest stopped; carries the report so far
    ├── ServerError                  the server's answer, or none
    │   ├── ServerUnavailable        no connection
    │   ├── PoolTimeout              no free connection within the deadline
    │   ├── CommandTimeout           no answer within the deadline, or cancelled by the server
    │   ├── LockTimeout              a lock was not granted in time
    │   ├── ConcurrencyConflict      deadlock or serialization failure
    │   ├── CommitUnknown            the connection went away around COMMIT
    │   ├── ResourceError            disk, memory or connections exhausted
    │   ├── PermissionDenied         the role may not do this
    │   ├── ReadOnly                 a write in a read-only transaction, or on a standby
    │   ├── IntegrityViolation       a constraint refused the rows
    │   └── StatementRejected        anything else the server refused
    ├── SchemaError                  the schema is not the one this version needs
    │   ├── SchemaMissing
    │   ├── SchemaOutdated
    │   ├── SchemaTooNew
    │   └── MigrationFailed
    ├── ComposeError                 the services of a compose file could not be started or stopped
    ├── BackupError                  a backup could not be made, read or restored
    │   └── BackupDamaged
    └── EmbeddedError                the embedded server
        ├── EmbeddedUnavailable      the extra is not installed, or can't run here
        └── DataFolderVersionMismatch
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workflow_store.models.report import IngestReport


class StoreError(Exception):
    """Anything this library raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # The arguments of __init__ are not those of the message: an exception that crosses processes is put together
        # from what it holds.
        return _rebuilt, (type(self), self.args, self.__dict__)


def _rebuilt(kind: type[StoreError], args: tuple[Any, ...], state: dict[str, Any]) -> StoreError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class MisuseError(StoreError):
    """The call was wrong; nothing was sent to the server."""


class InvalidField(MisuseError):
    """A name or a value that is not allowed.

    Attributes:
        field: the name that was given.
        allowed: the names that are, sorted; empty where the value was at fault.
    """

    def __init__(self, field: str, reason: str, allowed: Iterable[str] = ()) -> None:
        self.field = field
        self.allowed: tuple[str, ...] = tuple(sorted(allowed))
        listed = f"; allowed: {', '.join(self.allowed)}" if self.allowed else ""
        super().__init__(f"{field}: {reason}{listed}")


class InvalidCursor(MisuseError):
    """A page cursor that is damaged or belongs to another order or other filters."""


class SettingsError(MisuseError):
    """A setting is missing or can't be used; the message names it, never a secret."""


class StoreClosed(MisuseError):
    """The store is closed, was never opened, or is used from another event loop."""


class ConnectionUnusable(MisuseError):
    """A caller's connection or pool is closed, in use by another task, of another event loop or of another driver."""


class RecordError(StoreError):
    """One record is at fault; others are not affected."""


def shown(value: object) -> str:
    """A caller's value for a message, cut to 80 characters."""
    try:
        text = repr(value)
    except ValueError:
        # Python refuses to spell an int of thousands of digits.
        return f"an {type(value).__name__} of very many digits"
    return text if len(text) <= 80 else f"{text[:79]}…"


class AlreadyExists(RecordError):
    """A workflow with this id is stored."""

    def __init__(self, workflow_id: str) -> None:
        self.workflow_id = workflow_id
        super().__init__(f"workflow {workflow_id!r} already exists")


class LeaseLost(RecordError):
    """The lease ran out and the workflow was claimed by another scraper, or the queue never leased it."""

    def __init__(self, workflow_id: str) -> None:
        self.workflow_id = workflow_id
        super().__init__(f"workflow {workflow_id!r} is not leased under this token")


class InvalidRecord(RecordError):
    """A record that can't be stored as it is.

    Attributes:
        field: dotted name of the field at fault, such as ``metadata.title``.
        reason: what is wrong with it.
    """

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"{field}: {reason}")


class InvalidJson(RecordError):
    """Text that is not JSON, or JSON that PostgreSQL can't hold.

    Attributes:
        reason: what is wrong, with the place (byte offset, line or JSON path) where it is known.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class DocumentTooLarge(InvalidJson):
    """A JSON document above ``max_document_bytes``."""


class IngestError(StoreError):
    """An ingest stopped before the end of its source.

    Attributes:
        report: what was committed before; those batches stay.
        position: 0-based position of the record at fault in the source, or None.
    """

    def __init__(self, reason: str, report: IngestReport, position: int | None = None) -> None:
        self.report = report
        self.position = position
        super().__init__(reason if position is None else f"record {position}: {reason}")


class ServerError(StoreError):
    """The server refused, or did not answer.

    Attributes:
        sqlstate: the five characters of the server's answer, or None.
    """

    def __init__(self, message: str, sqlstate: str | None = None) -> None:
        self.sqlstate = sqlstate
        super().__init__(message)


class ServerUnavailable(ServerError):
    """No connection to the server, or it was lost; the message names host, port and database."""


class PoolTimeout(ServerError):
    """No connection became free within ``acquire_timeout`` seconds."""


class CommandTimeout(ServerError):
    """A statement did not finish within its deadline."""


class LockTimeout(ServerError):
    """A lock was not granted within ``lock_timeout``."""


class ConcurrencyConflict(ServerError):
    """A deadlock, a serialization failure, or a statement that has to be prepared anew, since a migration changed a
    table or a pooler lost track: the transaction did nothing and may be repeated.
    """


class Work:
    """Something that goes on although a caller has given it up.

    Attributes:
        ended: whether it is over.
    """

    __slots__ = ("ended",)

    def __init__(self) -> None:
        self.ended: bool = False


class CommitUnknown(ServerError):
    """The answer to a COMMIT, or to a single statement that writes, was lost: it is stored as a whole, or not at all.

    ``WorkflowStore.resolve`` finds out which.

    Attributes:
        began: when the write began at the earliest, by ``time.monotonic()``.
        ended: when it was given up.
        pid: the server process that was at work on it, where it is known.
        attempted: what would have come of each workflow, by id, where it is known.
        work: what goes on without the caller, and may store it yet; None where nothing does.
    """

    def __init__(
        self,
        message: str,
        sqlstate: str | None = None,
        *,
        began: float | None = None,
        pid: int | None = None,
        work: Work | None = None,
    ) -> None:
        # No call of the store is under way for an hour without having said so.
        self.began: float = time.monotonic() - 3600 if began is None else began
        self.ended: float = time.monotonic()
        self.pid = pid
        self.work = work
        self.attempted: Mapping[str, str] = {}
        super().__init__(message, sqlstate)


class ResourceError(ServerError):
    """The server ran out of disk, memory or connections."""


class PermissionDenied(ServerError):
    """The role lacks the privilege, or the login was refused."""


class ReadOnly(ServerError):
    """A write in a transaction that was opened read-only, or on a server that is a standby."""


class IntegrityViolation(ServerError):
    """A constraint refused the rows.

    Attributes:
        constraint: its name, or None.
    """

    def __init__(self, message: str, sqlstate: str | None = None, constraint: str | None = None) -> None:
        self.constraint = constraint
        super().__init__(message, sqlstate)


class StatementRejected(ServerError):
    """The server refused a statement for a reason no other class covers."""


class SchemaError(StoreError):
    """The database's schema is not the one this version needs."""


class SchemaMissing(SchemaError):
    """The schema was never made here; ``workflow-store db init`` makes it."""


class SchemaOutdated(SchemaError):
    """Migrations are waiting; ``workflow-store db upgrade`` applies them."""


class SchemaTooNew(SchemaError):
    """A later version of this library migrated the schema."""


class MigrationFailed(SchemaError):
    """A migration could not be applied or rolled back; the message names it and what the server said."""


class ComposeError(StoreError):
    """The services of a compose file could not be started or stopped; the message has what Compose said."""


class BackupError(StoreError):
    """A backup could not be made, read or restored; what is stored is as it was."""


class BackupDamaged(BackupError):
    """A backup is not what its manifest says.

    Attributes:
        problems: what is wrong, a line each.
    """

    def __init__(self, name: str, problems: Iterable[str]) -> None:
        self.problems: tuple[str, ...] = tuple(problems)
        super().__init__(f"the backup {name} is damaged: {'; '.join(self.problems)}")


class EmbeddedError(StoreError):
    """The embedded server could not be used."""


class EmbeddedUnavailable(EmbeddedError):
    """The extra ``embedded`` is not installed, or the server can't run here; the message says what helps."""


class DataFolderVersionMismatch(EmbeddedError):
    """The data folder was made by another major version of PostgreSQL."""
