"""Statements that name what they work on, databases and roles, which no parameter can stand for."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from workflow_store import errors
from workflow_store.conninfo import connection_parameters
from workflow_store.resources import statement

_BY_CLASS: Final[Mapping[str, type[errors.ServerError]]] = {
    "28": errors.PermissionDenied,
    "42501": errors.PermissionDenied,
    "55P03": errors.LockTimeout,
    "53": errors.ResourceError,
}
_NOTHING: Final[Mapping[str, str]] = {}


class Administrator:
    """A connection on which every statement is a transaction of its own, unless ``connection.transaction`` says so."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self.connection = connection

    async def fetch(self, name: str, *values: str) -> list[Any]:
        """The rows of a statement with parameters."""
        cursor = psycopg.AsyncRawCursor(self.connection)
        with translated():
            await cursor.execute(statement(name).encode(), values)
            return await cursor.fetchall()

    async def run(self, name: str, identifiers: Mapping[str, str], literals: Mapping[str, str] = _NOTHING) -> None:
        """Run a statement with names and literals in its braces."""
        with translated():
            await self.connection.execute(composed(name, identifiers, literals))

    def verifier(self, role: str, password: str) -> str:
        """What the server keeps of a password, computed here, so that the password itself is not sent."""
        secret = self.connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
        return secret.decode()


def composed(name: str, identifiers: Mapping[str, str], literals: Mapping[str, str] = _NOTHING) -> sql.Composed:
    """A statement's text with its names quoted."""
    parts: dict[str, sql.Composable] = {key: sql.Identifier(value) for key, value in identifiers.items()}
    parts |= {key: sql.Literal(value) for key, value in literals.items()}
    # It comes from a file, and nothing of anybody's input is in it.
    text: Any = statement(name)
    return sql.SQL(text).format(**parts)


@asynccontextmanager
async def administering(dsn: str, *databases: str) -> AsyncGenerator[Administrator]:
    """Connect directly, to the first of these databases that can be entered, or to that of the DSN.

    Raises:
        ServerUnavailable: none can be.
        PermissionDenied: the server refuses the login.
    """
    known = {**connection_parameters(dsn), "application_name": "workflow-store", "connect_timeout": "10"}
    refusal: errors.ServerError | None = None
    connection: psycopg.AsyncConnection[Any] | None = None
    for database in databases or (str(known.get("dbname", "")),):
        try:
            connection = await psycopg.AsyncConnection.connect(
                make_conninfo("", **{**known, "dbname": database or None}), autocommit=True
            )
            break
        except psycopg.Error as error:
            refusal = refusal or _of(error, errors.ServerUnavailable)
    if connection is None:
        # The frames of the driver hold the password.
        raise refusal or errors.ServerUnavailable("there is no database to connect to") from None
    async with connection:
        yield Administrator(connection)


@contextmanager
def translated() -> Generator[None]:
    """Raise the library's errors in place of psycopg's."""
    try:
        yield
    except psycopg.Error as error:
        raise _of(error, errors.StatementRejected) from None


def _of(error: psycopg.Error, otherwise: type[errors.ServerError]) -> errors.ServerError:
    state = error.sqlstate or ""
    kind = _BY_CLASS.get(state) or _BY_CLASS.get(state[:2]) or otherwise
    return kind(" ".join(str(error).split()), state or None)
