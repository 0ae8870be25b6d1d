"""The server that is administered: a direct connection, since locks, snapshots and dumps belong to one session."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from workflow_store.database.connections import MaskedDsn
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
