"""Whole databases of a server: made, removed, and two of them exchanged by name."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from workflow_store.database.connections import MaskedDsn
from workflow_store.errors import BackupError
from workflow_store.resources import statement

# One of them is there on every server, and neither is the one to be restored.
_MAINTENANCE: Final = ("postgres", "template1")


class Databases:
    """The databases of the server that a DSN leads to.

    Attributes:
        name: of the database the DSN names.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self.name: str = urlsplit(dsn).path.lstrip("/") or str(conninfo_to_dict(dsn).get("user", "postgres"))

    def dsn_of(self, name: str) -> MaskedDsn:
        """The DSN of another database of the server."""
        return MaskedDsn(urlunsplit(urlsplit(self._dsn)._replace(path=f"/{name}")))

    async def exists(self, name: str) -> bool:
        """Whether there is one of this name."""
        async with self._connected() as connection:
            return await _has(connection, name)

    async def create(self, name: str) -> None:
        """Make an empty one."""
        async with self._connected() as connection:
            await _run(connection, "create_database", name=name)

    async def drop(self, name: str) -> None:
        """Remove one, whoever is connected to it."""
        async with self._connected() as connection:
            await _run(connection, "drop_database", name=name)

    async def put_in_place(self, fresh: str, kept: str) -> bool:
        """Give ``fresh`` the name of the database, and that one, if it is there, the name ``kept``; both or none.

        Returns:
            Whether there was one, which is kept and lets nobody in.
        """
        async with self._connected() as connection:
            there = await _has(connection, self.name)
            if there:
                await _run(connection, "shut_database", name=self.name)
            try:
                for name in (self.name, fresh):
                    await _end_sessions(connection, name)
                async with connection.transaction():
                    if there:
                        await _run(connection, "rename_database", name=self.name, new_name=kept)
                    await _run(connection, "rename_database", name=fresh, new_name=self.name)
            except BaseException:
                if there:
                    with suppress(BackupError, psycopg.Error):
                        await _run(connection, "open_database", name=self.name)
                raise
        return there

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[psycopg.AsyncConnection[Any]]:
        known = {**conninfo_to_dict(self._dsn), "application_name": "workflow-store backup", "connect_timeout": 10}
        refusal = ""
        for name in _MAINTENANCE:
            try:
                connection = await psycopg.AsyncConnection.connect(
                    make_conninfo("", **{**known, "dbname": name}), autocommit=True
                )
            except psycopg.Error as error:
                refusal = refusal or " ".join(str(error).split())
                continue
            break
        else:
            # The frames of the driver hold the password.
            raise BackupError(f"no connection to the server: {refusal}") from None
        async with connection:
            try:
                yield connection
            except psycopg.Error as error:
                raise BackupError(" ".join(str(error).split())) from None


async def _has(connection: psycopg.AsyncConnection[Any], name: str) -> bool:
    return bool(await _fetch(connection, "has_database", name))


async def _end_sessions(connection: psycopg.AsyncConnection[Any], name: str) -> None:
    await _fetch(connection, "end_sessions", name)


async def _fetch(connection: psycopg.AsyncConnection[Any], name: str, *values: str) -> list[Any]:
    cursor = psycopg.AsyncRawCursor(connection)
    await cursor.execute(statement(f"backup/{name}").encode(), values)
    return await cursor.fetchall()


async def _run(connection: psycopg.AsyncConnection[Any], verb: str, **identifiers: str) -> None:
    text: Any = statement(f"backup/{verb}")
    names = {key: sql.Identifier(value) for key, value in identifiers.items()}
    await connection.execute(sql.SQL(text).format(**names))
