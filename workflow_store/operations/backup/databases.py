"""Whole databases of a server: made, removed, and two of them exchanged by name."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, suppress
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from workflow_store.conninfo import connection_parameters
from workflow_store.database.connections import MaskedDsn
from workflow_store.errors import ServerError
from workflow_store.operations.administration import Administrator, administering

# One of them is there on every server, and neither is the one to be restored.
_MAINTENANCE: Final = ("postgres", "template1")


class Databases:
    """The databases of the server that a DSN leads to.

    Attributes:
        name: of the database the DSN names.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self.name: str = urlsplit(dsn).path.lstrip("/") or connection_parameters(dsn).get("user", "postgres")

    def dsn_of(self, name: str) -> MaskedDsn:
        """The DSN of another database of the server."""
        return MaskedDsn(urlunsplit(urlsplit(self._dsn)._replace(path=f"/{name}")))

    async def exists(self, name: str) -> bool:
        """Whether there is one of this name."""
        async with self._entered() as admin:
            return bool(await admin.fetch("backup/has_database", name))

    async def create(self, name: str) -> None:
        """Make an empty one."""
        async with self._entered() as admin:
            await admin.run("backup/create_database", {"name": name})

    async def drop(self, name: str) -> None:
        """Remove one, whoever is connected to it."""
        async with self._entered() as admin:
            await admin.run("backup/drop_database", {"name": name})

    async def put_in_place(self, fresh: str, kept: str) -> bool:
        """Give ``fresh`` the name of the database, and that one, if it is there, the name ``kept``; both or none.

        Returns:
            Whether there was one, which is kept and lets nobody in.
        """
        async with self._entered() as admin:
            there = bool(await admin.fetch("backup/has_database", self.name))
            if there:
                await admin.run("backup/shut_database", {"name": self.name})
            try:
                for name in (self.name, fresh):
                    await admin.fetch("backup/end_sessions", name)
                async with admin.connection.transaction():
                    if there:
                        await admin.run("backup/rename_database", {"name": self.name, "new_name": kept})
                    await admin.run("backup/rename_database", {"name": fresh, "new_name": self.name})
            except BaseException:
                if there:
                    with suppress(ServerError):
                        await admin.run("backup/open_database", {"name": self.name})
                raise
        return there

    def _entered(self) -> AbstractAsyncContextManager[Administrator]:
        return administering(self._dsn, *_MAINTENANCE)
