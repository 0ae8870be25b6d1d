"""The PostgreSQL server that tests run on: a given one, a container, or the embedded one."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from workflow_store.embedded import EmbeddedServer
from workflow_store.errors import SettingsError, StoreError
from workflow_store.resources import statement

Kind: TypeAlias = Literal["auto", "dsn", "container", "embedded"]
IMAGES: Final = ("workflow-store-postgres:17", "postgres:17")

# Tests do not need to survive a crash of the machine, but for those that start a server of their own.
_FAST: Final = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "max_wal_size": "256MB",
}
_READY_WITHIN: Final = 60.0
# A database a test is some hundred files made and removed, by which a file system on a disk is kept busier than the
# server: where memory can be written to as files, the data lies there.
_MEMORY: Final = Path("/dev/shm")
_MEMORY_NEEDED: Final = 4 * 1024**3
_CONTAINER_DATA: Final = "/var/lib/postgresql/data"


@dataclass(frozen=True, slots=True)
class TestServer:
    """A running server.

    Attributes:
        kind: how it was come by.
        dsn: URI of a database from which others can be created.
        version: in the server's own words.
    """

    __test__ = False

    kind: str
    dsn: str
    version: str

    def create_database(self, template: str | None = None) -> str:
        """Create a database, empty or as a copy; its name."""
        name = f"workflow_store_test_{secrets.token_hex(6)}"
        if template is None:
            self._run("testing/create_database", name=name)
        else:
            self._run("testing/clone_database", name=name, template=template)
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        self._run("testing/drop_database", name=name)

    def dsn_of(self, database: str) -> str:
        """The URI of another database on this server."""
        return urlunsplit(urlsplit(self.dsn)._replace(path=f"/{database}"))

    def _run(self, text: str, **identifiers: str) -> None:
        names = {key: sql.Identifier(value) for key, value in identifiers.items()}
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(sql.SQL(_text(text)).format(**names))


@contextmanager
def running_server(kind: Kind = "auto") -> Generator[TestServer]:
    """A server for as long as the block lasts.

    Args:
        kind: ``"dsn"`` is ``WORKFLOW_STORE_TEST_DSN``, ``"container"`` a container of PostgreSQL 17,
            ``"embedded"`` the wheel's PostgreSQL 18; ``"auto"`` the first of them that can be had.

    Raises:
        SettingsError: the kind that is asked for can't be had here.
    """
    if kind not in get_args(Kind):
        raise SettingsError(f"WORKFLOW_STORE_TEST_SERVER: one of {', '.join(get_args(Kind))}, not {kind!r}")
    dsn = os.environ.get("WORKFLOW_STORE_TEST_DSN")
    if kind == "dsn" or (kind == "auto" and dsn):
        if not dsn:
            raise SettingsError("WORKFLOW_STORE_TEST_DSN is not set")
        yield TestServer("given", dsn, _version(dsn))
        return
    if kind in ("auto", "container"):
        image = container_image()
        if image is not None:
            with _container(image) as server:
                yield server
            return
        if kind == "container":
            raise SettingsError(f"no container can be started: Docker does not answer or has none of {IMAGES}")
    with _embedded() as server:
        yield server


def container_image() -> str | None:
    """The image a container can be started from without pulling anything, or None."""
    try:
        import docker  # type: ignore[import-untyped]
        from docker.errors import DockerException  # type: ignore[import-untyped]
    except ImportError:
        return None
    wanted = os.environ.get("WORKFLOW_STORE_TEST_IMAGE")
    try:
        client = docker.from_env(timeout=10)
        try:
            present = {tag for image in client.images.list() for tag in image.tags}
        finally:
            client.close()
    except DockerException:
        return None
    return next((image for image in ((wanted,) if wanted else IMAGES) if image in present), None)


@contextmanager
def _container(image: str) -> Generator[TestServer]:
    from testcontainers.community.postgres import PostgresContainer
    from testcontainers.core.config import testcontainers_config

    # Ryuk's own image can't be had where no registry answers; the container is stopped below, whatever happens.
    testcontainers_config.ryuk_disabled = True
    password = secrets.token_hex(12)
    container: Any = PostgresContainer(
        image,
        username="postgres",
        password=password,
        dbname="postgres",
        driver=None,
        command=[part for name, value in _FAST.items() for part in ("-c", f"{name}={value}")],
        shm_size="256m",
    )
    if _has_memory():
        container.with_tmpfs_mount(_CONTAINER_DATA)
    try:
        container.start()
        port = int(container.get_docker_client().port(container.get_container_id(), 5432))
        # Which address is right depends on whether this process runs in a container itself: ask both.
        places = (("127.0.0.1", port), (container.get_container_host_ip(), container.get_exposed_port(5432)))
        dsn, version = _first_to_answer(
            [f"postgresql://postgres:{password}@{host}:{number}/postgres" for host, number in places]
        )
        yield TestServer("container", dsn, version)
    finally:
        container.stop()


@contextmanager
def _embedded() -> Generator[TestServer]:
    # Not made here: the server makes it, as the account it runs as.
    above = _MEMORY if _has_memory() else Path(tempfile.gettempdir())
    folder = above / f"workflow-store-test-{secrets.token_hex(6)}"
    try:
        with EmbeddedServer.start(folder, options=_FAST) as server:
            yield TestServer("embedded", server.dsn, _version(server.dsn))
    finally:
        for leftover in folder.parent.glob(f"{folder.name}*"):
            shutil.rmtree(leftover, ignore_errors=True)


def _has_memory() -> bool:
    try:
        return os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _MEMORY_NEEDED
    except OSError:
        return False


def _version(dsn: str) -> str:
    try:
        with psycopg.connect(make_conninfo(dsn, connect_timeout=2)) as connection:
            row = connection.execute(_text("testing/version")).fetchone()
    except psycopg.OperationalError as error:
        raise StoreError(f"the test server does not answer: {error}") from None
    assert row is not None
    return str(row[0])


def _first_to_answer(addresses: Sequence[str]) -> tuple[str, str]:
    # A line in the log is not readiness: the first start of a container ends with a restart of the server.
    deadline = time.monotonic() + _READY_WITHIN
    while True:
        for dsn in addresses:
            try:
                return dsn, _version(dsn)
            except StoreError:
                if time.monotonic() > deadline:
                    raise
        time.sleep(0.1)


def _text(name: str) -> Any:
    # psycopg asks for a literal, so that nobody passes a joined string; these come from files.
    return statement(name)
