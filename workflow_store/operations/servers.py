"""The server that is administered: a direct connection, since locks, snapshots and dumps belong to one session."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from workflow_store.database import Session
from workflow_store.database.connections import MaskedDsn, connect
from workflow_store.embedded import EmbeddedServer, archive_options
from workflow_store.settings import Settings


@asynccontextmanager
async def admin_server(settings: Settings) -> AsyncGenerator[MaskedDsn]:
    """The DSN of ``admin_dsn``, else of ``dsn``, else of the embedded server, which runs for as long as the block."""
    given = settings.admin_dsn or settings.dsn
    if given is not None:
        yield MaskedDsn(given.get_secret_value())
        return
    server = await EmbeddedServer.open(settings.data_dir, options=archive_options(settings))
    try:
        yield MaskedDsn(server.dsn)
    finally:
        await server.aclose()


@asynccontextmanager
async def direct_session(dsn: str, settings: Settings) -> AsyncGenerator[Session]:
    """A connection of its own for as long as the block.

    Raises:
        ServerUnavailable: no connection.
    """
    connection = await connect(dsn, settings)
    try:
        yield Session(connection)
    finally:
        try:
            await connection.close(timeout=settings.close_timeout)
        except (TimeoutError, OSError):
            connection.terminate()
