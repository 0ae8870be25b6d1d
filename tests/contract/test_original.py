"""The tables of the SQLAlchemy layer are read as they are, changed in nothing, and brought over to the last field."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.commands import run
from tests.contract.original import PARTS, fill, rows
from tests.quarantined import quarantined
from workflow_store import Json, Workflow, WorkflowStore
from workflow_store.cli.outcomes import Exit
from workflow_store.database import Session
from workflow_store.errors import InvalidField, ServerUnavailable, SettingsError, StatementRejected
from workflow_store.importers import read_original
from workflow_store.models.workflow import Part
from workflow_store.settings import Settings

URL = "https://n8n.io"
PARTS_OF_OURS: tuple[Part, ...] = ("metadata", "structure", "content", "transcripts")
TABLES = ("workflows", *PARTS, "video_transcripts")


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("WORKFLOW_STORE_ADMIN_DSN", "WORKFLOW_STORE_DEBUG", "WORKFLOW_STORE_ORIGINAL_DSN"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "settings.toml").touch()
    monkeypatch.setenv("WORKFLOW_STORE_SETTINGS_FILE", str(tmp_path / "settings.toml"))


def as_written(value: Any) -> Any:
    """A value of the original's as the store gives it back."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    return tuple(value) if isinstance(value, list) else value


def expected(given: dict[str, Any]) -> dict[str, Any]:
    return {name: as_written(value) for name, value in given.items() if name not in ("workflow_id", "updated_at")}


def found(part: Any, names: set[str]) -> dict[str, Any]:
    values = {name: getattr(part, name) for name in names - {"workflow_id", "updated_at"}}
    return {name: value.value if isinstance(value, Json) else value for name, value in values.items()}


async def contents(dsn: str) -> list[tuple[str, str, str]]:
    """All rows of the original's tables with what would show that one was written again."""
    connection = await asyncpg.connect(dsn)
    try:
        return [
            tuple(row)
            for table in TABLES
            for row in await connection.fetch(f"SELECT '{table}', xmin::text || ctid::text, t::text FROM {table} AS t")
        ]
    finally:
        await connection.close()


async def one(dsn: str, *given: tuple[str, dict[str, Any]]) -> Workflow:
    await fill(dsn, given)
    (record,) = [record async for record in read_original(dsn)]
    assert isinstance(record, Workflow), record
    return record


async def test_500_workflows_come_over_field_by_field_and_again_changes_nothing(
    store: WorkflowStore, database_dsn: str, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = list(rows(500))
    await fill(empty_database, given)
    before = await contents(empty_database)
    monkeypatch.setenv("WORKFLOW_STORE_DSN", database_dsn)
    monkeypatch.setenv("WORKFLOW_STORE_ORIGINAL_DSN", empty_database)

    first, second = run("import-original", "--json"), run("import-original", "--json")

    assert (first.code, second.code) == (Exit.DONE, Exit.DONE), first.err + second.err
    assert (first.document["inserted"], first.document["notices"]) == (500, [])
    assert (second.document["unchanged"], second.document["updated"]) == (500, 0)
    assert await contents(empty_database) == before
    by_table: dict[str, dict[str, list[dict[str, Any]]]] = {table: defaultdict(list) for table in TABLES}
    for table, values in given:
        by_table[table][values["workflow_id"]].append(values)
    stored = {workflow.workflow_id: workflow async for workflow in store.stream_workflows(include=PARTS_OF_OURS)}
    assert stored.keys() == by_table["workflows"].keys()
    compared = 0
    for workflow_id, workflow in stored.items():
        (values,) = by_table["workflows"][workflow_id]
        assert found(workflow, set(values)) == expected(values)
        for table in PARTS:
            part = getattr(workflow, table.removeprefix("workflow_"))
            held = by_table[table][workflow_id]
            assert (part is not None) == bool(held)
            for values in held:
                assert found(part, set(values)) == expected(values)
                compared += 1
        transcripts = by_table["video_transcripts"][workflow_id]
        assert [found(one, set(TRANSCRIPT)) for one in workflow.transcripts or ()] == list(map(expected, transcripts))
        compared += len(transcripts)
    assert compared == len(given) - 500


TRANSCRIPT = next(values for table, values in rows(5) if table == "video_transcripts")


async def test_nulls_everywhere_are_no_values(empty_database: str) -> None:
    key = {"workflow_id": "x" * 50}

    workflow = await one(empty_database, ("workflows", key | {"url": URL}), *((table, key) for table in PARTS))

    assert (workflow.extracted_at, workflow.retry_count, workflow.quality_score) == (None, None, None)
    assert workflow.metadata is not None
    assert set(workflow.metadata.model_dump().values()) == {None}
    assert workflow.content is not None
    assert (workflow.content.has_videos, workflow.content.video_count) == (False, 0)
    assert workflow.notices == ()


async def test_a_json_null_is_none(empty_database: str) -> None:
    await fill(empty_database, [("workflows", {"workflow_id": "1", "url": URL})])
    connection = await asyncpg.connect(empty_database)
    await connection.execute(
        "INSERT INTO workflow_metadata (workflow_id, categories, raw_metadata) VALUES ('1', 'null', 'null');"
        "INSERT INTO workflow_structure (workflow_id, node_types, workflow_json) VALUES ('1', 'null', 'null');"
        "INSERT INTO video_transcripts (workflow_id, video_url, transcript_json) VALUES ('1', 'u', 'null')"
    )
    await connection.close()

    (record,) = [record async for record in read_original(empty_database)]

    assert isinstance(record, Workflow)
    assert record.metadata is not None
    assert record.structure is not None
    assert (record.metadata.categories, record.metadata.raw_metadata) == (None, None)
    assert (record.structure.node_types, record.structure.workflow_json) == (None, None)
    assert [transcript.transcript_json for transcript in record.transcripts or ()] == [None]


async def test_the_rows_of_the_layers_decide_and_flags_that_disagree_are_told(empty_database: str) -> None:
    flags = {"layer1_success": True, "layer2_success": False, "layer3_success": None}
    key = {"workflow_id": "1"}

    workflow = await one(
        empty_database,
        ("workflows", key | {"url": URL} | flags),
        ("workflow_structure", key | {"node_count": 1}),
        ("workflow_content", key),
    )

    assert (workflow.layer1_success, workflow.layer2_success, workflow.layer3_success) == (False, True, True)
    assert workflow.notices == (
        "workflow 1: workflows.layer1_success: true, but there is no row in workflow_metadata; false",
        "workflow 1: workflows.layer2_success: false, but there is a row in workflow_structure; true",
    )


@pytest.mark.parametrize("score", [-5.0, 0.0, 150.0, 1e299])
async def test_a_score_beyond_the_usual_stays(empty_database: str, score: float) -> None:
    workflow = await one(empty_database, ("workflows", {"workflow_id": "1", "url": URL, "quality_score": score}))

    assert (workflow.quality_score, workflow.notices) == (score, ())


async def test_values_that_fit_no_column_are_none_and_told(empty_database: str) -> None:
    key = {"workflow_id": "1"}
    await fill(
        empty_database,
        [
            (
                "workflows",
                key | {"url": URL, "quality_score": math.nan, "processing_time": math.inf, "retry_count": -1},
            ),
            ("workflow_metadata", key | {"categories": ["a", 5, None, {"name": "b"}, [1]], "tags": "one"}),
        ],
    )
    connection = await asyncpg.connect(empty_database)
    await connection.execute(
        "UPDATE workflows SET extracted_at = 'infinity';"
        "UPDATE workflow_metadata SET workflow_created_at = '0044-03-15 BC', workflow_updated_at = '-infinity'"
    )
    await connection.close()

    (record,) = [record async for record in read_original(empty_database)]

    assert isinstance(record, Workflow)
    assert (record.quality_score, record.processing_time, record.retry_count, record.extracted_at) == (None,) * 4
    assert record.metadata is not None
    assert record.metadata.categories == ("a", "5", "b")
    assert record.metadata.tags == ("one",)
    assert (record.metadata.workflow_created_at, record.metadata.workflow_updated_at) == (None, None)
    assert len(record.notices) == 8


async def test_transcripts_keep_the_order_of_their_ids(empty_database: str) -> None:
    spoken = [
        {"workflow_id": "1", "video_url": f"u{number % 2}", "transcript_text": str(number)} for number in range(9)
    ]

    workflow = await one(
        empty_database,
        ("workflows", {"workflow_id": "1", "url": URL}),
        *(("video_transcripts", values) for values in spoken),
    )

    assert [transcript.transcript_text for transcript in workflow.transcripts or ()] == [*map(str, range(9))]


async def test_rows_that_cant_be_stored_are_quarantined_and_the_others_stored(
    session: Session, database_dsn: str, empty_database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    deep: Any = []
    for _ in range(600):
        deep = [deep]
    await fill(
        empty_database,
        [
            ("workflows", {"workflow_id": None, "url": URL}),
            ("workflows", {"workflow_id": "", "url": URL}),
            ("workflows", {"workflow_id": "no url", "url": ""}),
            ("workflows", {"workflow_id": "huge", "url": URL, "quality_score": 1e308}),
            ("workflows", {"workflow_id": "deep", "url": URL}),
            ("workflow_content", {"workflow_id": "deep", "raw_content": {"deep": deep}}),
            ("workflows", {"workflow_id": "good", "url": URL}),
        ],
    )
    monkeypatch.setenv("WORKFLOW_STORE_DSN", database_dsn)
    secret = tmp_path / "original.dsn"
    secret.write_text(f"{empty_database}\n", encoding="utf-8")

    done = run("import-original", "--dsn-file", str(secret), "--json")

    assert done.code == Exit.INCOMPLETE, done.err
    assert (done.document["inserted"], done.document["rejected"]) == (1, 5)
    reasons = {item["workflow_id"]: item["reason"] for item in done.document["rejections"]}
    assert reasons.keys() == {None, "", "no url", "huge", "deep"}
    assert reasons[None] == "workflow_id: it is NULL"
    assert "512 levels" in reasons["deep"]
    kept = {item.workflow_id: item for item in await quarantined(session)}
    assert kept.keys() == reasons.keys()
    assert b'"huge"' in kept["huge"].raw


async def test_all_rows_are_of_one_moment_however_many(empty_database: str) -> None:
    await fill(empty_database, [("workflows", {"workflow_id": str(n), "url": URL}) for n in range(120)])
    other = await asyncpg.connect(empty_database)
    write = "UPDATE workflows SET url = 'later'; INSERT INTO workflows (workflow_id, url) VALUES ('new', 'u')"
    seen: list[tuple[str, str]] = []

    async for record in read_original(empty_database):
        if not seen:
            await other.execute(write)
        assert isinstance(record, Workflow)
        seen.append((record.workflow_id, record.url))

    await other.close()
    assert seen == [(str(n), URL) for n in range(120)]


async def test_tables_of_another_schema(empty_database: str) -> None:
    await fill(empty_database, [("workflows", {"workflow_id": "1", "url": URL})])
    connection = await asyncpg.connect(empty_database)
    await connection.execute('CREATE SCHEMA "o ""r" ')
    for table in TABLES:
        await connection.execute(f'ALTER TABLE {table} SET SCHEMA "o ""r"')
    await connection.close()

    assert [record.workflow_id async for record in read_original(empty_database, schema='o "r')] == ["1"]
    with pytest.raises(StatementRejected, match=r"schema public: the original's tables .* are not there"):
        [record async for record in read_original(empty_database)]


async def test_what_cant_be_read_is_said_without_a_secret(empty_database: str) -> None:
    with pytest.raises(SettingsError):
        [record async for record in read_original("mysql://u:secret@h/d")]
    with pytest.raises(InvalidField):
        [record async for record in read_original(empty_database, schema="")]
    quick = Settings.load(connect_timeout=2)
    with pytest.raises(ServerUnavailable) as refused:
        [record async for record in read_original("postgresql://u:secret@127.0.0.1:1/d", settings=quick)]
    assert "secret" not in str(refused.value)


def test_without_an_address_the_command_says_where_it_belongs(database_dsn: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()

    missing, blank = run("import-original"), run("import-original", "--dsn-file", str(empty))

    assert (missing.code, blank.code) == (Exit.USAGE, Exit.USAGE)
    assert "WORKFLOW_STORE_ORIGINAL_DSN" in missing.err
    assert "is empty" in blank.err
