"""Shorter names for the plugin's fixtures, and where real workflows lie."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from workflow_store import Settings, WorkflowStore
from workflow_store.database import Database, Session

ROOT = Path(__file__).resolve().parent.parent

# A shell that runs tests in the background has SIGINT ignored, and every child would inherit that: tests that interrupt
# one would wait for ever.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def empty_database(workflow_store_empty_dsn: str) -> str:
    """URI of a database without the schema."""
    return workflow_store_empty_dsn


@pytest.fixture
def database_dsn(workflow_store_dsn: str) -> str:
    """URI of a migrated database."""
    return workflow_store_dsn


@pytest.fixture
def store(workflow_store: WorkflowStore) -> WorkflowStore:
    """An open store on a database of its own."""
    return workflow_store


@pytest_asyncio.fixture
async def session(workflow_store_dsn: str) -> AsyncIterator[Session]:
    """A connection beside the store, for a look at what is really there."""
    database = await Database.open(workflow_store_dsn, Settings.load(pool_min_size=0, pool_max_size=4))
    async with database.session() as held:
        yield held
    await database.close()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """A folder of real workflows, which is not part of the project."""
    folder = Path(os.environ.get("WORKFLOW_STORE_CORPUS", ROOT.parent / "shared" / "corpus"))
    if not folder.is_dir():
        pytest.skip("no folder of real workflows: set WORKFLOW_STORE_CORPUS")
    return folder
