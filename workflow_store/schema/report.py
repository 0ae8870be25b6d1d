"""What the schema's functions answer; the child process writes these as JSON, its parent reads them back."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Migration(BaseModel):
    """One migration this version knows, and whether a database has it."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    id: str
    """File name without its ending, such as ``0001_workflows``."""
    applied: bool
    applied_at: datetime | None = None
    """When, by the migrator's clock in UTC; None where it is not applied."""


class SchemaStatus(BaseModel):
    """Where a database stands."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    migrations: tuple[Migration, ...]
    """Every migration this version knows, in order."""
    unknown: tuple[str, ...] = ()
    """Applied migrations that this version does not know: a later version made them."""

    @property
    def current(self) -> str | None:
        """The last applied migration, known or not; None where there is none."""
        applied = [migration.id for migration in self.migrations if migration.applied]
        return max([*applied, *self.unknown], default=None)

    @property
    def pending(self) -> tuple[str, ...]:
        """The migrations that are waiting, in order."""
        return tuple(migration.id for migration in self.migrations if not migration.applied)


class MigrationReport(BaseModel):
    """What a migrator did."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    applied: tuple[str, ...] = ()
    """Migrations applied by this call, in the order they were."""
    rolled_back: tuple[str, ...] = ()
    """Migrations rolled back by this call, in the order they were."""
    current: str | None
    """The last migration the database has now; None where it has none."""
    compression: str | None = None
    """How large values are compressed: lz4, pglz or none; None after a rollback, which leaves that alone."""
    altered: tuple[str, ...] = ()
    """The statements that were needed for the compression; empty where every column had it."""
    seconds: float
    """Time since the connection was asked for, the wait for the lock included."""
