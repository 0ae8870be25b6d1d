"""PgBouncer in transaction mode before the tests' server, in a container from ``tests/images/pgbouncer``."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, Final, Literal, TypeAlias, cast, get_args
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg

from tests.ports import free_port

Mode: TypeAlias = Literal["prepared", "unprepared"]

IMAGE: Final = "workflow-store-pgbouncer:1.24"
VARIABLE: Final = "WORKFLOW_STORE_TEST_POOLER"

# Fewer connections to the server than clients have to the pooler, so that they change hands all the time; given out in
# turn, so that two statements of one client that are not a transaction meet different ones.
_SETTINGS: Final = """\
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
pool_mode = transaction
max_prepared_statements = {prepared}
default_pool_size = 4
server_round_robin = 1
max_client_conn = 500
server_lifetime = 30
server_idle_timeout = 1
auth_type = scram-sha-256
auth_file = /run/workflow-store/userlist.txt
auth_user = {user}
auth_dbname = postgres
"""


class Pooler:
    """A PgBouncer that runs.

    Attributes:
        mode: whether it keeps prepared statements.
        port: of 127.0.0.1.
    """

    def __init__(self, mode: Mode, port: int) -> None:
        self.mode = mode
        self.port = port

    def before(self, dsn: str) -> str:
        """The URI of the same database by way of the pooler."""
        parts = urlsplit(dsn)
        login = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{self.port}"))


def wanted_mode() -> Mode | None:
    """What ``WORKFLOW_STORE_TEST_POOLER`` asks for."""
    mode = os.environ.get(VARIABLE)
    if mode is not None and mode not in get_args(Mode):
        raise ValueError(f"{VARIABLE}: one of {', '.join(get_args(Mode))}, not {mode!r}")
    return cast("Mode | None", mode)


@contextmanager
def running_pooler(mode: Mode, dsn: str) -> Generator[Pooler]:
    """A pooler before a server that listens on a port of this machine, for as long as the block lasts."""
    import docker  # type: ignore[import-untyped]

    parts = urlsplit(dsn)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    port = free_port()
    settings = _SETTINGS.format(
        host=parts.hostname, port=parts.port, listen=port, user=user, prepared=200 if mode == "prepared" else 0
    )
    client: Any = docker.from_env(timeout=30)
    container = client.containers.run(
        IMAGE,
        detach=True,
        network_mode="host",
        environment={"PGBOUNCER_INI": settings, "USERLIST": f'"{user}" "{password}"'},
    )
    try:
        pooler = Pooler(mode, port)
        _answers(pooler.before(dsn), container)
        yield pooler
    finally:
        with suppress(Exception):
            container.remove(force=True)
        client.close()


def _answers(dsn: str, container: Any) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            psycopg.connect(dsn, connect_timeout=2).close()
            return
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise AssertionError(f"the pooler does not answer: {error}\n{container.logs().decode()}") from None
            time.sleep(0.1)
