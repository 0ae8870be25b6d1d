"""The one place that opens connections: address, deadline, codec."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from workflow_store import errors
from workflow_store.database.codecs import set_codecs
from workflow_store.database.faults import translate
from workflow_store.settings import Settings


class MaskedDsn(str):
    """A DSN that shows no secret where a traceback prints the variables of a frame."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<the DSN of {address(self)}>"


async def connect(dsn: str, settings: Settings) -> asyncpg.Connection[asyncpg.Record]:
    """Open one connection within ``connect_timeout``.

    Raises:
        ServerUnavailable: nothing answers there, or not in time.
        PermissionDenied: the server refused the login.
    """
    dsn = MaskedDsn(dsn)
    try:
        async with asyncio.timeout(settings.connect_timeout):
            connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
                dsn, timeout=settings.connect_timeout, command_timeout=settings.command_timeout
            )
            await set_codecs(connection)
    except ValueError:
        # The driver quotes the part of the URI that it can't read, and that may be the password.
        reason: errors.StoreError = errors.ServerUnavailable("the URI can't be read")
    except Exception as error:
        # Frames of the driver hold the password: the cause is told in words, and the chain ends here.
        reason = translate(error) or errors.ServerUnavailable(f"{type(error).__name__}: {error}")
    else:
        return connection
    message = str(reason)
    if isinstance(reason, errors.CommandTimeout):
        message = f"no answer within {settings.connect_timeout:g} s"
    kind = type(reason) if isinstance(reason, errors.PermissionDenied | errors.ResourceError) else None
    sqlstate = reason.sqlstate if isinstance(reason, errors.ServerError) else None
    raise (kind or errors.ServerUnavailable)(f"{address(dsn)}: {message}", sqlstate)


def address(dsn: str) -> str:
    """Host, port and database of a DSN, in words and without a secret."""
    try:
        parts = urlsplit(dsn)
        if "@" not in parts.netloc and "@" in parts.path + parts.fragment + parts.query.partition("&")[0]:
            # A /, # or ? in the password that is not percent-encoded: what looks like the host is a part of it.
            return "the server (the password in the URI is not percent-encoded)"
        query = parse_qs(parts.query)
        host = parts.netloc.rpartition("@")[2] or (query.get("host") or ["localhost"])[0]
        database = unquote(parts.path.lstrip("/")) or (query.get("dbname") or ["the default database"])[0]
    except ValueError:
        return "the server"
    return f"{unquote(host)}, database {database}"
