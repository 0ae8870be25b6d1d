"""The module-level pair: the schema is made and removed on the server that the settings name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.records import full_workflow
from workflow_store import SchemaMissing, Settings, SettingsError, WorkflowStore, drop_all_tables, init_database
from workflow_store.database import Session


async def test_init_makes_the_schema_once_and_keeps_what_is_stored(empty_database: str) -> None:
    first = await init_database(dsn=empty_database)
    async with WorkflowStore.open(dsn=empty_database, pool_min_size=1) as store:
        await store.create_workflow(full_workflow())
    again = await init_database(Settings.load(dsn=empty_database))

    assert first.applied
    assert again.applied == ()
    async with WorkflowStore.open(dsn=empty_database, pool_min_size=1) as store:
        assert await store.count_workflows() == 1


async def test_drop_removes_all_of_ours_and_nothing_else(database_dsn: str, session: Session) -> None:
    await session.connection.execute("CREATE TABLE public.theirs AS SELECT 1 AS one")

    await drop_all_tables(dsn=database_dsn)

    with pytest.raises(SchemaMissing):
        await WorkflowStore.open(dsn=database_dsn, pool_min_size=1)
    assert await session.connection.fetchval("SELECT one FROM public.theirs") == 1
    assert (await init_database(dsn=database_dsn)).applied


async def test_the_direct_connection_of_the_settings_comes_before_the_other(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKFLOW_STORE_DSN", "postgresql://u@127.0.0.1:9/nobody_answers")
    monkeypatch.setenv("WORKFLOW_STORE_ADMIN_DSN", empty_database)

    assert (await init_database()).applied
    await drop_all_tables()

    with pytest.raises(SchemaMissing):
        await WorkflowStore.open(dsn=empty_database, pool_min_size=1)


async def test_without_an_address_it_is_the_embedded_server(data_dir: Path) -> None:
    made = await init_database(data_dir=data_dir)
    await drop_all_tables(data_dir=data_dir)
    again = await init_database(data_dir=data_dir)

    assert made.applied == again.applied != ()
    assert not (data_dir / "data" / "postmaster.pid").exists()


async def test_settings_and_single_ones_are_not_given_together(database_dsn: str) -> None:
    with pytest.raises(SettingsError, match="not both"):
        await init_database(Settings.load(dsn=database_dsn), dsn=database_dsn)
    with pytest.raises(SettingsError, match="not both"):
        await drop_all_tables(Settings.load(dsn=database_dsn), dsn=database_dsn)
