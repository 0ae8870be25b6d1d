"""A pytest plugin: a PostgreSQL server for the session, a migrated database for each test.

It is found by pytest on its own. Its fixtures:

``workflow_store``
    an open ``WorkflowStore`` on a database of its own, dropped after the test.
``workflow_store_dsn``
    the URI of such a database.
``workflow_store_empty_dsn``
    the URI of an empty database, without the schema.
``workflow_store_server``
    the server, for the whole session.

The server is that of ``WORKFLOW_STORE_TEST_DSN`` if set, else a container where Docker answers and has the image, else
the embedded one; ``WORKFLOW_STORE_TEST_SERVER`` (``dsn``, ``container``, ``embedded``) insists on one.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio

from workflow_store.schema import migrate
from workflow_store.settings import Settings
from workflow_store.store import WorkflowStore
from workflow_store.testing.servers import Kind, TestServer, running_server

__all__ = [
    "TestServer",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
    "running_server",
    "workflow_store",
    "workflow_store_dsn",
    "workflow_store_empty_dsn",
    "workflow_store_server",
    "workflow_store_template",
]

_ran_on: list[str] = []


@pytest.fixture(scope="session")
def workflow_store_server() -> Iterator[TestServer]:
    """The server of this session."""
    kind = cast("Kind", os.environ.get("WORKFLOW_STORE_TEST_SERVER", "auto"))
    with running_server(kind) as server:
        _ran_on.append(f"PostgreSQL {server.version} ({server.kind})")
        yield server


@pytest.fixture(scope="session")
def workflow_store_template(workflow_store_server: TestServer) -> Iterator[str]:
    """Name of a migrated database that the others are copied from."""
    name = workflow_store_server.create_database()
    _in_a_loop_of_its_own(lambda: migrate(workflow_store_server.dsn_of(name)))
    yield name
    workflow_store_server.drop_database(name)


@pytest.fixture
def workflow_store_dsn(workflow_store_server: TestServer, workflow_store_template: str) -> Iterator[str]:
    """URI of a migrated database for one test."""
    name = workflow_store_server.create_database(workflow_store_template)
    yield workflow_store_server.dsn_of(name)
    workflow_store_server.drop_database(name)


@pytest.fixture
def workflow_store_empty_dsn(workflow_store_server: TestServer) -> Iterator[str]:
    """URI of an empty database for one test."""
    name = workflow_store_server.create_database()
    yield workflow_store_server.dsn_of(name)
    workflow_store_server.drop_database(name)


@pytest_asyncio.fixture
async def workflow_store(workflow_store_dsn: str, tmp_path: Path) -> AsyncIterator[WorkflowStore]:
    """An open store on a database for one test."""
    settings = Settings.load(dsn=workflow_store_dsn, pool_min_size=1, pool_max_size=10, media_dir=tmp_path / "media")
    async with WorkflowStore.open(settings) as store:
        yield store


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process of pytest-xdist tells the one that started it which server its tests ran on."""
    told: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["workflow_store_ran_on"] = list(_ran_on)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what such a process told."""
    for line in getattr(node, "workeroutput", {}).get("workflow_store_ran_on", ()):
        if line not in _ran_on:
            _ran_on.append(line)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say which servers the tests ran on."""
    for line in _ran_on:
        terminalreporter.write_line(f"workflow-store: tests ran on {line}")


def _in_a_loop_of_its_own(work: Callable[[], Coroutine[Any, Any, object]]) -> None:
    # A session fixture may be asked for while pytest-asyncio's loop runs in this thread.
    failure: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work())
        except BaseException as error:  # handed over to the waiting thread
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
