"""The one place that opens connections: address, hosts, deadline, codec."""

from __future__ import annotations

import asyncio
import os
import ssl
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from workflow_store import errors
from workflow_store.database._pooled import PooledConnection
from workflow_store.database.codecs import set_codecs
from workflow_store.database.faults import translate
from workflow_store.settings import Settings
from workflow_store.tls import secured


class MaskedDsn(str):
    """A DSN that shows no secret where a traceback prints the variables of a frame."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<the DSN of {address(self)}>"


async def connect(dsn: str, settings: Settings) -> asyncpg.Connection[asyncpg.Record]:
    """Open one connection within ``connect_timeout``, to the first of several hosts that takes writes.

    Raises:
        ServerUnavailable: nothing answers there, or not in time.
        PermissionDenied: the server refused the login.
    """
    plain, dsn = len(dsn), MaskedDsn(secured(dsn))
    reason: errors.StoreError = errors.ServerUnavailable("the URI can't be read")
    try:
        places = _places(dsn)
    except ValueError:
        places = []
    # A host that swallows what it is sent must not use up the time of the next one.
    share = settings.connect_timeout / max(1, len(places))
    for place in places:
        try:
            async with asyncio.timeout(share):
                return await _connect(dsn, settings, place)
        except Exception as error:
            if isinstance(error, ValueError) and not isinstance(error, ssl.SSLError):
                # The driver quotes the part of the URI that it can't read, and that may be the password. A certificate
                # that is refused is a ValueError, too.
                break
            # Frames of the driver hold the password: the cause is told in words, and the chain ends here.
            reason = translate(error) or errors.ServerUnavailable(f"{type(error).__name__}: {error}")
    message = f"no answer within {share:g} s" if isinstance(reason, errors.CommandTimeout) else str(reason)
    kind = type(reason) if isinstance(reason, errors.PermissionDenied | errors.ResourceError) else None
    sqlstate = reason.sqlstate if isinstance(reason, errors.ServerError) else None
    if len(dsn) != plain and _is_about_tls(message):
        message += " (a host that is not this machine has to prove its name; sslmode in the URI says otherwise)"
    raise (kind or errors.ServerUnavailable)(f"{address(dsn)}: {message}", sqlstate)


def _is_about_tls(message: str) -> bool:
    return "SSL" in message or "certificate" in message


async def _connect(dsn: str, settings: Settings, place: dict[str, Any]) -> PooledConnection:
    connection: PooledConnection = await asyncpg.connect(
        dsn,
        timeout=settings.connect_timeout,
        command_timeout=settings.command_timeout,
        statement_cache_size=settings.statement_cache_size,
        connection_class=PooledConnection,
        **place,
    )
    try:
        await set_codecs(connection)
    except BaseException:
        connection.terminate()
        raise
    return connection


def _places(dsn: str) -> list[dict[str, Any]]:
    """What to connect with, host by host; nothing is added for a single one."""
    parts = urlsplit(dsn)
    named = [host for host in parts.netloc.rpartition("@")[2].split(",") if host]
    if len(named) < 2:
        return [{}]
    wanted = parse_qs(parts.query).get("target_session_attrs") or [os.environ.get("PGTARGETSESSIONATTRS", "read-write")]
    return [{**_host_and_port(host), "target_session_attrs": wanted[0]} for host in named]


def _host_and_port(text: str) -> dict[str, Any]:
    place = urlsplit(f"//{text}")
    return {"host": unquote(place.hostname or ""), "port": place.port or 5432}


def address(dsn: str) -> str:
    """Host, port and database of a DSN, in words and without a secret."""
    try:
        parts = urlsplit(dsn)
        if "@" not in parts.netloc and "@" in parts.path + parts.fragment + parts.query.partition("&")[0]:
            # A /, # or ? in the password that is not percent-encoded: what looks like the host is a part of it.
            return "the server (the password in the URI is not percent-encoded)"
        if not all(_has_port(host) for host in parts.netloc.rpartition("@")[2].split(",")):
            return "the server (the port in the URI is no number)"
        query = parse_qs(parts.query)
        host = parts.netloc.rpartition("@")[2] or (query.get("host") or ["localhost"])[0]
        database = unquote(parts.path.lstrip("/")) or (query.get("dbname") or ["the default database"])[0]
    except ValueError:
        return "the server"
    return f"{unquote(host)}, database {database}"


def _has_port(text: str) -> bool:
    """Whether what stands behind the colon of a host, if there is one, is a port and not a part of a password."""
    try:
        return urlsplit(f"//{text}").port is not None or not text.rpartition("]")[2].partition(":")[2]
    except ValueError:
        return False
