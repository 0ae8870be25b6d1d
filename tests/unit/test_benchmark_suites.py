"""The suites of the benchmarks on small stores: at a scale that has no peers, and with a peer that is not installed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from rich.progress import Progress

from benchmarks import arguments, ingest
from benchmarks.contestants import NAME, ByHand, Case, Contestant, LeftOut
from benchmarks.contestants.alchemy_core import url
from benchmarks.contestants.psql_copy import environment_of
from benchmarks.contestants.rows import TABLES, batches
from benchmarks.data import workflows
from benchmarks.given import Given
from benchmarks.server import Server, connect, migrated_database
from benchmarks.statements import text
from workflow_store import WorkflowStore
from workflow_store.queries.catalogue import CREATE_WORKFLOW
from workflow_store.queries.parameters import arguments_of
from workflow_store.testing.servers import TestServer


@pytest_asyncio.fixture
async def database(workflow_store_server: TestServer) -> AsyncIterator[str]:
    server = Server("given", workflow_store_server.dsn)
    async with migrated_database(server, "workflow_store_bench_suites") as dsn:
        yield dsn


class Absent:
    """A peer whose package is missing."""

    name = "absent"
    cases: frozenset[Case] = frozenset(("fresh",))
    share = 1
    closed = False

    async def open(self, dsn: str) -> None:
        raise LeftOut("nothing is installed")

    async def prepare(self, case: Case, given: Given) -> None:
        raise AssertionError

    async def run(self, case: Case) -> None:
        raise AssertionError

    async def empty(self) -> None:
        raise AssertionError

    async def close(self) -> None:
        self.closed = True


async def test_a_large_ingest_is_ours_alone_and_in_pieces(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arguments, "_LARGE", 40)
    monkeypatch.setattr(ingest, "_CHUNK", 20)

    result = await ingest.measure(database, arguments.parse(["ingest", "--scale", "70"]), Progress(disable=True))

    runs = result.measured["runs"]
    assert {run["contestant"] for run in runs} == {NAME}
    assert [run["records"] for run in runs if run["case"] == "fresh"] == [20, 20, 20, 10]
    assert [run["records"] for run in runs if run["case"] == "refresh"] == [70]
    assert [table.title for table in result.tables] == [
        "Growth",
        "Workflows a second by how many are stored",
        "Workflows a second",
    ]


async def test_a_peer_that_is_not_installed_is_named(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = Absent()
    contestants: list[Contestant] = [ByHand(), absent]
    monkeypatch.setattr(ingest, "everyone", lambda: contestants)

    result = await ingest.measure(
        database,
        arguments.parse(["ingest", "--scale", "10", "--rounds", "1", "--only", "fresh", "--only", "delete"]),
        Progress(disable=True),
    )

    assert result.measured["left_out"] == {"absent": "nothing is installed"}
    assert "Left out: absent, since nothing is installed." in result.notes
    assert absent.closed
    assert {(run["contestant"], run["case"]) for run in result.measured["runs"]} == {
        ("asyncpg by hand", "fresh"),
        ("asyncpg by hand", "delete"),
    }


async def test_the_bare_refresh_makes_the_documents_of_the_store(database: str) -> None:
    connection = await connect(database)
    try:
        async with WorkflowStore.open(dsn=database, search_refresh="manual") as store:
            await store.ingest(workflows(30))
            await store.refresh_search()
        made: Any = await connection.fetch(text("documents"))
        await connection.execute(text("empty_documents"))
        await connection.execute(text("make_documents"))

        assert await connection.fetch(text("documents")) == made
        assert len(made) == 30
    finally:
        await connection.close()


def test_rows_are_those_of_the_store_s_tables(tmp_path: Path) -> None:
    given = Given(workflows(12), tmp_path, "plain")

    pieces = batches(given.records, 5)

    assert [len(piece["workflows"]) for piece in pieces] == [5, 5, 2]
    for piece in pieces:
        assert piece.keys() == TABLES.keys()
        for table, rows in piece.items():
            assert all(len(row) == len(TABLES[table]) for row in rows)
    assert len(arguments_of(given.records[0])) == len(CREATE_WORKFLOW.parameters)


def test_models_are_given_anew_with_documents_that_nobody_looked_at(tmp_path: Path) -> None:
    given = Given(workflows(5), tmp_path, "plain")

    renewed = given.unchecked()

    assert renewed == given.checked
    for one, other in zip(renewed, given.workflows, strict=True):
        if one.structure is not None and other.structure is not None:
            assert one.structure.workflow_json is not other.structure.workflow_json
    assert given.first(0).name == "plain-1"
    assert given.first(9) is given
    assert len(given.lines.read_bytes().splitlines()) == 5


def test_a_password_reaches_psql_by_its_environment() -> None:
    found = environment_of("postgresql://somebody:s%20cret@localhost:5433/store")

    assert found == {
        "PGUSER": "somebody",
        "PGPASSWORD": "s cret",
        "PGHOST": "localhost",
        "PGPORT": "5433",
        "PGDATABASE": "store",
    }


@pytest.mark.parametrize(
    ("dsn", "shown"),
    [
        ("postgresql://u@host:5433/x", "postgresql+psycopg2://u@host:5433/x"),
        ("postgresql://u@/x?host=%2Ftmp%2Fs&port=5555", "postgresql+psycopg2://u@/x?host=%2Ftmp%2Fs&port=5555"),
    ],
)
def test_an_orm_reaches_a_socket_as_well_as_a_host(dsn: str, shown: str) -> None:
    pytest.importorskip("sqlalchemy")

    assert str(url(dsn, "postgresql+psycopg2")) == shown
