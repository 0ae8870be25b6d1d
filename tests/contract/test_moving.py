"""The script of the guide moves the original's rows, and gets back what the original lost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from tests.conftest import ROOT
from tests.contract.results import flat_result, nested_result
from workflow_store import Json, WorkflowStore

GUIDE = ROOT / "docs" / "moving.md"
# The columns that the script reads, as the original made them.
TABLES = """
CREATE TABLE workflows (
    id serial PRIMARY KEY, workflow_id varchar(50) UNIQUE, url varchar(500) NOT NULL, extracted_at timestamp,
    updated_at timestamp, processing_time float8, quality_score float8, layer1_success boolean,
    layer2_success boolean, layer3_success boolean, error_message text, retry_count integer
);
CREATE TABLE workflow_metadata (
    id serial PRIMARY KEY, workflow_id varchar(50) UNIQUE REFERENCES workflows (workflow_id) ON DELETE CASCADE,
    title varchar, raw_metadata jsonb
);
CREATE TABLE workflow_structure (
    id serial PRIMARY KEY, workflow_id varchar(50) UNIQUE REFERENCES workflows (workflow_id) ON DELETE CASCADE,
    connection_count integer, extraction_type varchar(50), fallback_used boolean, workflow_json jsonb
);
CREATE TABLE workflow_content (
    id serial PRIMARY KEY, workflow_id varchar(50) UNIQUE REFERENCES workflows (workflow_id) ON DELETE CASCADE,
    raw_content jsonb
);
CREATE TABLE video_transcripts (
    id serial PRIMARY KEY, workflow_id varchar(50) REFERENCES workflows (workflow_id) ON DELETE CASCADE,
    video_url varchar(500) NOT NULL, video_id varchar, platform varchar, transcript_text text, transcript_json jsonb,
    duration integer, language varchar(10)
);
"""


async def fill(dsn: str) -> None:
    """A flat result, a nested one of which the original knew no title, and one that failed."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(TABLES)
    when = datetime(2025, 10, 11, 12, 13, 14)  # noqa: DTZ001  # the original's times have no zone
    for workflow_id, result in (("flat", flat_result()), ("nested", nested_result()), ("failed", {})):
        await connection.execute(
            "INSERT INTO workflows (workflow_id, url, extracted_at, processing_time, quality_score, retry_count)"
            " VALUES ($1, 'https://n8n.io', $2, $3, $4, 0)",
            workflow_id,
            when,
            result.get("processing_time"),
            result.get("quality_score"),
        )
        layers: dict[str, Any] = result.get("layers", {})
        if layers:
            page, body, content = (
                str(Json(document)) for document in (layers["layer1"], layers["layer2"]["data"], layers["layer3"])
            )
            await connection.execute("INSERT INTO workflow_metadata VALUES (DEFAULT, $1, NULL, $2)", workflow_id, page)
            await connection.execute(
                "INSERT INTO workflow_structure VALUES (DEFAULT, $1, 1, 'full', false, $2)", workflow_id, body
            )
            await connection.execute("INSERT INTO workflow_content VALUES (DEFAULT, $1, $2)", workflow_id, content)
    await connection.execute(
        "INSERT INTO video_transcripts VALUES"
        " (DEFAULT, 'flat', 'https://youtu.be/abc123', 'abc123', 'youtube', 'Hello and welcome', NULL, 300, 'en')"
    )
    await connection.close()


@pytest.fixture
def script() -> str:
    (code,) = re.findall(
        r"^```python\n(.*?)^```$", (ROOT / "docs/moving.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return str(code)


async def test_the_guides_script_moves_everything_and_may_be_run_again(
    store: WorkflowStore, database_dsn: str, empty_database: str, script: str
) -> None:
    await fill(empty_database)

    said = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"WORKFLOW_STORE_DSN": database_dsn, "DATABASE_URL": empty_database},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)

    assert said == ["3 0 0 0\n", "0 0 3 0\n"]
    moved = await store.get_workflows(["flat", "nested", "failed"])
    flat, nested, failed = moved.values()
    assert flat.extracted_at == datetime(2025, 10, 11, 12, 13, 14, tzinfo=UTC)
    assert (flat.quality_score, flat.processing_time) == (85.3, 14.5)
    assert flat.metadata is not None
    assert (flat.metadata.title, flat.metadata.author_name) == ("Test workflow 1", "Ada")
    (transcript,) = flat.transcripts or ()
    assert (transcript.transcript_text, transcript.duration, transcript.language) == ("Hello and welcome", 300, "en")
    assert nested.metadata is not None
    assert (nested.metadata.title, nested.metadata.author_name) == ("Nested workflow 1", "Grace")
    assert nested.structure is not None
    assert (nested.structure.connection_count, nested.structure.node_types) == (4, ("agent", "telegram"))
    assert (failed.layer1_success, failed.metadata, failed.transcripts) == (False, None, None)
