"""Shorter names for the plugin's fixtures, and where real workflows lie."""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import signal
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest
import pytest_asyncio
from psycopg import sql
from pydantic import SecretStr

from tests.logins import as_role
from tests.pooler import Pooler, running_pooler, wanted_mode
from workflow_store import Settings, WorkflowStore
from workflow_store.database import Database, Session
from workflow_store.operations.roles import RoleNames, create_roles
from workflow_store.testing import TestServer

ROOT = Path(__file__).resolve().parent.parent

# A shell that runs tests in the background has SIGINT ignored, and every child would inherit that: tests that interrupt
# one would wait for ever.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Some thousand tests are there to stay: the collector need not go through them again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def empty_database(workflow_store_empty_dsn: str) -> str:
    """URI of a database without the schema."""
    return workflow_store_empty_dsn


@pytest.fixture
def database_dsn(workflow_store_dsn: str) -> str:
    """URI of a migrated database."""
    return workflow_store_dsn


@pytest.fixture(scope="session")
def writer(workflow_store_server: TestServer, workflow_store_template: str) -> Iterator[tuple[str, str]]:
    """Name and password of a role that may only write rows, in every database that is copied from the template."""
    token = secrets.token_hex(4)
    names = RoleNames(f"test_owner_{token}", f"test_writer_{token}", f"test_reader_{token}")
    dsn = workflow_store_server.dsn_of(workflow_store_template)
    with ThreadPoolExecutor(1) as thread:
        # pytest-asyncio's loop may be running in this one.
        made = create_roles(dsn=dsn, names=names, passwords={"writer": SecretStr(token)})
        thread.submit(asyncio.run, made).result()
    yield names.writer, token
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name in map(sql.Identifier, (names.owner, names.writer, names.reader)):
            connection.execute(sql.SQL("REASSIGN OWNED BY {} TO CURRENT_USER").format(name))
            connection.execute(sql.SQL("DROP OWNED BY {}").format(name))
            connection.execute(sql.SQL("DROP ROLE {}").format(name))


@pytest.fixture(scope="session")
def pooler(workflow_store_server: TestServer) -> Iterator[Pooler | None]:
    """The pooler by way of which stores connect, where ``WORKFLOW_STORE_TEST_POOLER`` asks for one."""
    mode = wanted_mode()
    if mode is None:
        yield None
        return
    with running_pooler(mode, workflow_store_server.dsn) as running:
        yield running


@pytest_asyncio.fixture
async def store(
    writer: tuple[str, str], workflow_store_dsn: str, tmp_path: Path, pooler: Pooler | None
) -> AsyncIterator[WorkflowStore]:
    """An open store on a database of its own, by the role that is meant for it: it may write rows, and nothing else."""
    dsn = as_role(workflow_store_dsn, *writer)
    options: dict[str, Any] = {}
    if pooler is not None:
        dsn = pooler.before(dsn)
        if pooler.mode == "unprepared":
            options["statement_cache_size"] = 0
    async with WorkflowStore.open(
        Settings.load(dsn=dsn, pool_min_size=1, pool_max_size=10, media_dir=tmp_path / "media", **options)
    ) as store:
        yield store


@pytest_asyncio.fixture
async def session(workflow_store_dsn: str) -> AsyncIterator[Session]:
    """A connection beside the store, for a look at what is really there."""
    database = await Database.open(workflow_store_dsn, Settings.load(pool_min_size=0, pool_max_size=4))
    async with database.session() as held:
        yield held
    await database.close()


@pytest_asyncio.fixture
async def connection(database_dsn: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A bare connection to the database, beside whatever a test opens."""
    connection = await asyncpg.connect(database_dsn)
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """A folder of real workflows, which is not part of the project."""
    folder = Path(os.environ.get("WORKFLOW_STORE_CORPUS", ROOT.parent / "shared" / "corpus"))
    if not folder.is_dir():
        pytest.skip("no folder of real workflows: set WORKFLOW_STORE_CORPUS")
    return folder
