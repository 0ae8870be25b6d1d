"""The original's module functions and their counterparts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from tests.contract.results import extracted, flat_result
from workflow_store import AlreadyExists, SchemaMissing, Settings, StoreClosed, WorkflowStore, schema
from workflow_store.database import Session


class Abandoned(Exception):
    """A caller changes its mind."""


def opened(dsn: str) -> WorkflowStore:
    return WorkflowStore.open(dsn=dsn, pool_min_size=1, pool_max_size=4, search_refresh="manual")


async def test_init_database_is_migrate(empty_database: str) -> None:
    with pytest.raises(SchemaMissing):
        async with opened(empty_database):
            pass

    first = await schema.migrate(empty_database)
    async with opened(empty_database) as store:
        await store.create_workflow(extracted(flat_result()))
    again = await schema.migrate(empty_database)

    assert first.applied
    # As there: what is made already stays, with its rows.
    assert again.applied == ()
    async with opened(empty_database) as store:
        assert await store.count_workflows() == 1


async def test_drop_all_tables_is_drop_all(database_dsn: str) -> None:
    async with opened(database_dsn) as store:
        await store.create_workflow(extracted(flat_result()))

    await schema.drop_all(database_dsn)

    with pytest.raises(SchemaMissing):
        async with opened(database_dsn):
            pass
    await schema.migrate(database_dsn)
    async with opened(database_dsn) as store:
        assert await store.count_workflows() == 0


async def test_get_database_stats_is_get_pool_statistics(database_dsn: str) -> None:
    async with opened(database_dsn) as store, store.transaction():
        found = asdict(store.get_pool_statistics())

    assert {"pool_size", "checked_in", "checked_out", "overflow", "total_connections"} <= found.keys()
    assert (found["pool_size"], found["checked_out"], found["total_connections"]) == (1, 1, 1)
    assert (found["checked_in"], found["overflow"], found["waiting"]) == (0, 0, 0)
    with pytest.raises(StoreClosed):
        store.get_pool_statistics()


async def test_get_session_commits_at_its_end(store: WorkflowStore) -> None:
    async with store.transaction() as tx:
        await tx.create_workflow(extracted(flat_result(), "1"))
        inside = await tx.get_workflow("1")
        outside = await store.get_workflow("1")

    assert inside is not None
    assert outside is None
    assert await store.get_workflow("1") == inside


async def test_get_session_rolls_back_what_an_exception_interrupts(store: WorkflowStore) -> None:
    await store.create_workflow(extracted(flat_result(), "kept"))

    with pytest.raises(Abandoned):
        async with store.transaction() as tx:
            await tx.create_workflow(extracted(flat_result(), "1"))
            await tx.update_workflow("kept", quality_score=1.0)
            raise Abandoned

    kept = await store.get_workflow("kept")
    assert kept is not None
    assert kept.quality_score == 85.3
    assert await store.exists(["1", "kept"]) == {"kept"}


async def test_an_error_inside_a_nested_session_leaves_the_outer_one_usable(store: WorkflowStore) -> None:
    async with store.transaction() as tx:
        await tx.create_workflow(extracted(flat_result(), "1"))
        with pytest.raises(AlreadyExists):
            async with tx.transaction() as nested:
                await nested.create_workflow(extracted(flat_result(), "2"))
                await nested.create_workflow(extracted(flat_result(), "1"))
        await tx.create_workflow(extracted(flat_result(), "3"))

    assert await store.exists(["1", "2", "3"]) == {"1", "3"}


@pytest.mark.parametrize("fails", [False, True])
async def test_get_session_gives_its_connection_back(database_dsn: str, session: Session, fails: bool) -> None:
    async def work(store: WorkflowStore) -> Any:
        async with store.transaction() as tx:
            await tx.create_workflow(extracted(flat_result(), "1"))
            if fails:
                raise Abandoned

    async with opened(database_dsn) as store:
        if fails:
            with pytest.raises(Abandoned):
                await work(store)
        else:
            await work(store)
        found = store.get_pool_statistics()
        left_open = await session.connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
        )

    assert (found.checked_out, found.checked_in) == (0, found.total_connections)
    assert left_open == 0


def test_the_settings_of_the_original_are_the_defaults() -> None:
    fields = Settings.model_fields

    assert fields["pool_min_size"].default == 10
    assert fields["pool_max_size"].default == 10 + 20
    assert (fields["acquire_timeout"].default, fields["max_lifetime"].default) == (30.0, 3600.0)
