"""The three roles: each may do its own part, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest
from pydantic import SecretStr

from tests.commands import run
from tests.logins import as_role
from tests.records import full_workflow, small_workflow
from workflow_store import Rejected, Settings, WorkflowStore, schema
from workflow_store.errors import InvalidField, PermissionDenied, ReadOnly, SchemaMissing, StoreError
from workflow_store.operations.roles import RoleNames, create_roles
from workflow_store.resources import folder, statement

PASSWORD = "p/w: of a role"


@pytest.fixture
async def names(database_dsn: str, workflow_store_server: Any) -> AsyncIterator[RoleNames]:
    """The roles, made on a database of its own; they are the whole server's, and go with the test."""
    token = database_dsn.rsplit("_", 1)[-1].split("?")[0]
    names = RoleNames(f"owner_{token}", f"writer_{token}", f"reader_{token}")
    await create_roles(
        dsn=database_dsn,
        names=names,
        passwords={"owner": SecretStr(PASSWORD), "writer": SecretStr(PASSWORD), "reader": SecretStr(PASSWORD)},
    )
    yield names
    connection = await asyncpg.connect(database_dsn)
    try:
        for name in (names.owner, names.writer, names.reader):
            await connection.execute(f'REASSIGN OWNED BY "{name}" TO CURRENT_USER; DROP OWNED BY "{name}"')
            await connection.execute(f'DROP ROLE "{name}"')
    finally:
        await connection.close()


def opened(dsn: str, tmp_path: Path, **settings: Any) -> WorkflowStore:
    return WorkflowStore.open(
        Settings.load(dsn=dsn, media_dir=tmp_path / "media", pool_min_size=1, pool_max_size=4, **settings)
    )


async def test_a_writer_does_all_that_a_store_does(names: RoleNames, database_dsn: str, tmp_path: Path) -> None:
    async with opened(as_role(database_dsn, names.writer, PASSWORD), tmp_path) as store:
        await store.create_workflow(full_workflow("1"))
        assert await store.upsert_workflow(full_workflow("1", quality_score=3.0)) == "updated"
        report = await store.ingest([full_workflow("2"), small_workflow("1"), Rejected("line 3", "not JSON", b"{")])
        async with store.writer() as writer:
            assert await writer.put(small_workflow("3")) == "inserted"
        assert await store.update_workflow("2", metadata={"title": "Another title"}) is not None
        await store.enqueue([("1", "https://n8n.io/workflows/1"), ("9", "https://n8n.io/workflows/9")])
        (claim,) = await store.claim(1, 60)
        await store.complete(claim.workflow_id, claim.token)
        await store.mark_failed("9", "gone")
        await store.media.put("1", "logo.png", b"a logo")
        assert [file.name for file in await store.media.list("1")] == ["logo.png"]
        assert await store.media.delete("1", "logo.png")
        await store.media.collect_garbage(0.0)
        await store.refresh_search()
        hits = await store.search_workflows("another title")
        fuzzy = await store.search_workflows("anothr titel", mode="fuzzy")
        async with store.transaction() as tx:
            assert await tx.delete_workflow("3")
        statistics = await store.get_statistics(detailed=True)

    assert (report.inserted, report.rejected) == (1, 1)
    assert hits.items[0].workflow.workflow_id == "2"
    assert fuzzy.items[0].workflow.workflow_id == "2"
    assert statistics.total_workflows == 2


async def test_a_writer_changes_no_table(names: RoleNames, database_dsn: str) -> None:
    dsn = as_role(database_dsn, names.writer, PASSWORD)
    connection = await asyncpg.connect(dsn)
    try:
        for text in (
            "CREATE TABLE workflow_store.another (a int)",
            "ALTER TABLE workflow_store.workflows ADD COLUMN a int",
            "DROP TABLE workflow_store.workflow_search",
            "TRUNCATE workflow_store.workflows",
            "CREATE SCHEMA another",
            "CREATE TEMPORARY TABLE another (a int)",
            "DELETE FROM workflow_store._yoyo_migration",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(text)
    finally:
        await connection.close()
    with pytest.raises(StoreError):
        await schema.rollback(dsn)


async def test_a_reader_reads_and_is_refused_when_it_writes(
    names: RoleNames, database_dsn: str, tmp_path: Path
) -> None:
    async with opened(database_dsn, tmp_path) as store:
        await store.ingest([full_workflow("1"), small_workflow("2")])
        await store.media.put("1", "logo.png", b"a logo")
        await store.refresh_search()
    async with opened(as_role(database_dsn, names.reader, PASSWORD), tmp_path) as store:
        assert await store.get_workflow("1") is not None
        assert len(await store.get_workflows(["1", "2"])) == 2
        assert len((await store.list_workflows(total=True)).items) == 2
        assert [workflow.workflow_id async for workflow in store.stream_workflows(order_by="title")]
        assert (await store.search_workflows("workflow")).items is not None
        assert await store.count_workflows() == 2
        assert (await store.get_statistics()).total_workflows == 2
        assert await store.exists(["1"]) == {"1"}
        assert await store.pending() == ()
        assert await store.media.get("1", "logo.png") == b"a logo"
        assert (await store.get_search_lag()).pending == 0
        for write in (
            lambda: store.create_workflow(small_workflow("3")),
            lambda: store.upsert_workflow(small_workflow("1", quality_score=1.0)),
            lambda: store.update_workflow("1", quality_score=1.0),
            lambda: store.delete_workflow("1"),
            lambda: store.delete_workflows(["1"]),
            lambda: store.enqueue([("3", "u")]),
            lambda: store.mark_failed("1", "gone"),
            lambda: store.media.put("1", "other.png", b"another"),
            lambda: store.media.delete("1", "logo.png"),
            lambda: store.ingest([small_workflow("3")]),
        ):
            with pytest.raises((PermissionDenied, ReadOnly)):
                await write()
        assert (await store.get_statistics()).total_workflows == 2


async def test_without_the_read_only_default_a_reader_is_still_refused(names: RoleNames, database_dsn: str) -> None:
    connection = await asyncpg.connect(as_role(database_dsn, names.reader, PASSWORD))
    try:
        await connection.execute("SET default_transaction_read_only = off")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM workflow_store.workflows")
    finally:
        await connection.close()


async def test_the_owner_migrates(names: RoleNames, database_dsn: str, tmp_path: Path) -> None:
    dsn = as_role(database_dsn, names.owner, PASSWORD)

    rolled_back = await schema.rollback(dsn, steps=2)
    migrated = await schema.migrate(dsn)

    assert len(rolled_back.rolled_back) == len(migrated.applied) == 2
    # Tables that were made anew are the writer's to write and the reader's to read without another word.
    async with opened(as_role(database_dsn, names.writer, PASSWORD), tmp_path) as store:
        await store.enqueue([("1", "u")])
    async with opened(as_role(database_dsn, names.reader, PASSWORD), tmp_path) as store:
        assert len(await store.pending()) == 1


async def test_nobody_else_gets_in(names: RoleNames, database_dsn: str, workflow_store_server: Any) -> None:
    other = RoleNames(f"{names.owner}_x", f"{names.writer}_x", f"{names.reader}_x")
    admin = await asyncpg.connect(database_dsn)
    try:
        await admin.execute(f"CREATE ROLE \"{other.writer}\" LOGIN PASSWORD '{PASSWORD}'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(as_role(database_dsn, other.writer, PASSWORD))
    finally:
        await admin.execute(f'DROP ROLE IF EXISTS "{other.writer}"')
        await admin.close()


async def test_limits_are_set_for_each_role_and_again_changes_nothing(names: RoleNames, database_dsn: str) -> None:
    again = await create_roles(dsn=database_dsn, names=names)

    assert again.made == []
    assert set(again.may_log_in) == {names.owner, names.writer, names.reader}
    connection = await asyncpg.connect(as_role(database_dsn, names.writer, PASSWORD))
    try:
        shown = {
            name: await connection.fetchval("SELECT current_setting($1, true)", name)
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "search_path")
        }
        late = await connection.fetchval("SELECT current_setting('transaction_timeout', true)")
        version = connection.get_server_version().major
    finally:
        await connection.close()
    assert shown == {
        "statement_timeout": "90s",
        "lock_timeout": "30s",
        "idle_in_transaction_session_timeout": "10min",
        "search_path": "pg_catalog, pg_temp",
    }
    assert late == ("2h" if version >= 17 else None)


async def test_a_database_without_tables_and_names_that_can_not_be_are_refused(empty_database: str) -> None:
    with pytest.raises(SchemaMissing):
        await create_roles(dsn=empty_database)
    with pytest.raises(InvalidField):
        RoleNames("same", "same", "other")
    with pytest.raises(InvalidField):
        RoleNames("x" * 64)


async def test_a_name_that_needs_quoting_is_quoted(database_dsn: str) -> None:
    names = RoleNames('own"er; DROP', "wri ter", "re'ader")
    report = await create_roles(dsn=database_dsn, names=names)
    connection = await asyncpg.connect(database_dsn)
    try:
        found = {row[0] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
        for name in (names.owner, names.writer, names.reader):
            quoted = name.replace('"', '""')
            await connection.execute(f'REASSIGN OWNED BY "{quoted}" TO CURRENT_USER; DROP OWNED BY "{quoted}"')
            await connection.execute(f'DROP ROLE "{quoted}"')
    finally:
        await connection.close()

    assert set(report.made) == {names.owner, names.writer, names.reader} <= found


def test_the_command(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKFLOW_STORE_WRITER_PASSWORD", PASSWORD)
    token = dsn.rsplit("_", 1)[-1].split("?")[0]
    arguments = [f"--{purpose}={purpose}_{token}_c" for purpose in ("owner", "writer", "reader")]

    made = run("db", "roles", *arguments, "--json")
    again = run("db", "roles", *arguments)

    assert made.code == 0
    assert made.document["may_log_in"] == [f"writer_{token}_c"]
    assert "0 roles made" in again.err
    assert PASSWORD not in made.out + made.err + again.out + again.err
    _drop(dsn, [argument.split("=")[1] for argument in arguments])


def _drop(dsn: str, roles: list[str]) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for role in roles:
            connection.execute(f'REASSIGN OWNED BY "{role}" TO CURRENT_USER'.encode())
            connection.execute(f'DROP OWNED BY "{role}"'.encode())
            connection.execute(f'DROP ROLE "{role}"'.encode())


def test_no_statement_runs_with_its_owners_rights() -> None:
    texts = [path.read_text(encoding="utf-8") for path in folder("migrations").glob("*.sql")]
    assert texts
    assert not [text for text in texts if "SECURITY DEFINER" in text.upper()]
    assert "pg_temp" in statement("roles/pin_path")
