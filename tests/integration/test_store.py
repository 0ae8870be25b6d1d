from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.records import full_workflow, parts_of
from workflow_store import SchemaMissing, SchemaTooNew, WorkflowStore
from workflow_store.embedded import EmbeddedServer


async def test_without_an_address_the_embedded_server_is_used_and_keeps_what_was_stored(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with WorkflowStore.open(data_dir=data_dir, pool_min_size=1) as store:
        await store.create_workflow(full_workflow())
        async with WorkflowStore.open(data_dir=data_dir, pool_min_size=1) as other:
            assert await other.count_workflows() == 1
    async with WorkflowStore.open(data_dir=data_dir, pool_min_size=1) as store:
        back = await store.get_workflow("2462")

    assert parts_of(back) == parts_of(full_workflow())
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("embedded PostgreSQL") == 1
    assert str(data_dir) in said.err


async def test_a_server_without_the_schema_says_how_to_make_it(empty_database: str) -> None:
    with pytest.raises(SchemaMissing, match="workflow-store db init"):
        async with WorkflowStore.open(dsn=empty_database, pool_min_size=1):
            pytest.fail("a store was opened without its schema")  # pragma: no cover


async def test_the_embedded_server_is_given_up_when_opening_fails(data_dir: Path) -> None:
    async with WorkflowStore.open(data_dir=data_dir, pool_min_size=1):
        pass
    with EmbeddedServer.start(data_dir) as server, psycopg.connect(server.dsn) as connection:
        connection.execute("INSERT INTO workflow_store._yoyo_migration VALUES ('x', '9999_from_the_future', now())")

    with pytest.raises(SchemaTooNew, match="9999_from_the_future"):
        async with WorkflowStore.open(data_dir=data_dir, pool_min_size=1):
            pytest.fail("a store was opened on a schema it does not know")  # pragma: no cover

    assert not (data_dir / "data" / "postmaster.pid").exists()
