"""What the guide shows brings the original's rows over, and gets back what the original lost."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.contract.original import fill, moment
from tests.contract.results import flat_result, nested_result
from workflow_store import WorkflowStore

GUIDE = (ROOT / "docs" / "moving.md").read_text("utf-8")


def block(language: str) -> str:
    (code,) = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    return str(code)


def as_stored(workflow_id: str, result: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The rows that the original makes of a result: of a nested one it knows no title, no author and no tags."""
    key, layers = {"workflow_id": workflow_id}, result["layers"]
    page = layers["layer1"]
    return [
        ("workflows", key | {"url": "https://n8n.io", "extracted_at": moment(0), "retry_count": 0}),
        ("workflow_metadata", key | {"title": page.get("title"), "raw_metadata": page}),
        ("workflow_structure", key | {"connection_count": 1, "workflow_json": layers["layer2"]["data"]}),
        ("workflow_content", key | {"raw_content": layers["layer3"]}),
    ]


ROWS = [
    *as_stored("flat", flat_result()),
    *as_stored("nested", nested_result()),
    ("workflows", {"workflow_id": "failed", "url": "https://n8n.io"}),
    ("video_transcripts", {"workflow_id": "flat", "video_url": "https://youtu.be/abc123", "transcript_text": "Hello"}),
]


def environment(original: str, **others: str) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"DATABASE_URL": original, "PATH": path} | others


async def test_the_guides_commands_bring_everything_over(
    store: WorkflowStore, database_dsn: str, empty_database: str
) -> None:
    await fill(empty_database, ROWS)
    url = empty_database.replace("postgresql://", "postgresql+psycopg2://")

    done = subprocess.run(
        ["bash", "-euc", block("sh")],
        env=environment(url, WORKFLOW_STORE_DSN=database_dsn),
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    reports = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    counts = [(report["inserted"], report["unchanged"]) for report in reports if "inserted" in report]
    assert counts == [(3, 0), (0, 3)]
    flat, nested, failed = (await store.get_workflows(["flat", "nested", "failed"])).values()
    assert flat.metadata is not None
    assert (flat.metadata.title, flat.metadata.author_name) == ("Test workflow 1", "Ada")
    assert [transcript.transcript_text for transcript in flat.transcripts or ()] == ["Hello"]
    assert nested.metadata is not None
    assert (nested.metadata.title, nested.metadata.author_name) == ("Nested workflow 1", "Grace")
    assert nested.metadata.tags == ("chat", "telegram")
    assert nested.metadata.raw_metadata is not None
    assert nested.metadata.raw_metadata.value["pipeline"]["layer2"]["data"] == {"id": 1, "name": "Nested"}
    assert nested.structure is not None
    assert (nested.structure.connection_count, nested.structure.node_types) == (4, ("agent", "telegram"))
    assert nested.structure.workflow_json is not None
    assert nested.structure.workflow_json.value.keys() == {"nodes", "connections"}
    assert nested.content is not None
    assert nested.content.explainer_text == "First\n\nThen"
    assert (failed.layer1_success, failed.metadata, failed.transcripts) == (False, None, None)


async def test_the_guides_program_does_the_same(database_dsn: str, empty_database: str) -> None:
    await fill(empty_database, ROWS)

    said = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", block("python")],
            env=environment(empty_database, WORKFLOW_STORE_DSN=database_dsn),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.splitlines()[0])

    assert said == ["3 0 0 0", "0 0 3 0"]
