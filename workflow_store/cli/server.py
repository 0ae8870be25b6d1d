"""Which server a command works on: that of the settings, else the embedded one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from workflow_store.cli.output import Output
from workflow_store.database import Database
from workflow_store.database.connections import address
from workflow_store.embedded import EmbeddedServer, archive_options
from workflow_store.operations.figures import version_in_words
from workflow_store.queries.catalogue import SERVER_FACTS
from workflow_store.settings import Settings


@dataclass(frozen=True, slots=True)
class Target:
    """A server to migrate.

    Attributes:
        kind: ``given`` by a setting, or ``embedded``.
        address: host, port and database, or the data folder; no secret.
    """

    kind: str
    address: str
    dsn: SecretStr


@dataclass(frozen=True, slots=True)
class Facts:
    """What a server says of itself.

    Attributes:
        durable: what it acknowledges survives a crash of its machine.
    """

    version: str
    durable: bool


def command_settings(**overrides: Any) -> Settings:
    """The settings with a small pool: a command opens the connections it needs, and no more.

    Raises:
        SettingsError: a setting can't be used.
    """
    return Settings.load(pool_min_size=1, **overrides)


@asynccontextmanager
async def target(settings: Settings, output: Output) -> AsyncGenerator[Target]:
    """The server to migrate: ``admin_dsn``, else ``dsn``, else the embedded one, started for as long as this lasts.

    Raises:
        EmbeddedError: the embedded server can't be used.
    """
    dsn = settings.admin_dsn or settings.dsn
    if dsn is not None:
        yield Target("given", address(dsn.get_secret_value()), dsn)
        return
    server = await EmbeddedServer.open(settings.data_dir, options=archive_options(settings))
    try:
        output.note(server.describe())
        yield Target("embedded", str(server.data_dir), SecretStr(server.dsn))
    finally:
        await server.aclose()


async def server_facts(server: Target, settings: Settings) -> Facts:
    """Ask a server for its version.

    Raises:
        ServerUnavailable: no connection.
    """
    alone = settings.model_copy(update={"pool_min_size": 0, "pool_max_size": 1})
    database = await Database.open(server.dsn.get_secret_value(), alone)
    try:
        async with database.session() as session:
            facts = await session.fetch_one(SERVER_FACTS)
    finally:
        await database.close()
    durable = facts.fsync and facts.full_page_writes and facts.synchronous_commit != "off"
    return Facts(version_in_words(facts.version), durable)
