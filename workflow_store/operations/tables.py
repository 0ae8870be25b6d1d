"""The whole schema, made and removed on the server that the settings name."""

from __future__ import annotations

from typing import Any

from workflow_store import schema
from workflow_store.operations.servers import admin_server
from workflow_store.schema import MigrationReport
from workflow_store.settings import Settings


async def init_database(settings: Settings | None = None, **overrides: Any) -> MigrationReport:
    """Make the tables, or bring them to this version's state; what is stored stays, and again changes nothing.

    The server is that of ``admin_dsn``, else of ``dsn``, else the embedded one, which runs for as long as this takes.

    Args:
        settings: read from the environment and the settings file where not given.
        overrides: single settings by name.

    Raises:
        SettingsError: a setting can't be used, or leads to a pooler.
        EmbeddedError: the embedded server can't be used.
        ServerError, SchemaError: as ``schema.migrate``.
    """
    chosen = Settings.chosen(settings, overrides)
    async with admin_server(chosen) as dsn:
        return await schema.migrate(dsn, compression=chosen.compression, language=chosen.language)


async def drop_all_tables(settings: Settings | None = None, **overrides: Any) -> None:
    """Remove all tables with all that is stored; other schemas of the database stay, and so do media files.

    Takes and raises what ``init_database`` does, which makes the tables anew.
    """
    async with admin_server(Settings.chosen(settings, overrides)) as dsn:
        await schema.drop_all(dsn)
