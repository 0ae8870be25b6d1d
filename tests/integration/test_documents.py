"""What the README and the guides show is run as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.records import small_workflow
from workflow_store import Metadata, WorkflowStore

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(document: str, language: str) -> list[str]:
    text = (ROOT / document).read_text(encoding="utf-8")
    return [body for kind, body in BLOCK.findall(text) if kind == language]


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A folder with an export in it, as the examples expect."""
    exports = tmp_path / "exports"
    exports.mkdir()
    (exports / "hello.json").write_text(
        '{"name": "Hello", "nodes": [{"name": "a", "type": "n8n-nodes-base.start"}], "connections": {}}',
        encoding="utf-8",
    )
    return tmp_path


def environment(dsn: str) -> dict[str, str]:
    own = {"WORKFLOW_STORE_DSN": dsn, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    return os.environ | own


def test_the_readmes_python_runs_and_answers_as_it_says(database_dsn: str, workplace: Path) -> None:
    (code,) = blocks("README.md", "python")

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=workplace, env=environment(database_dsn), capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[:4] == [
        "inserted",
        "workflow '2462' already exists",
        "1 0 0 0",
        '{"nodes": [], "connections": {}}',
    ]
    assert said[4].startswith("Statistics(total_workflows=1,")


def test_the_guide_to_ingesting_runs_and_answers_as_it_says(database_dsn: str, workplace: Path) -> None:
    (code,) = blocks("docs/ingesting.md", "python")

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=workplace, env=environment(database_dsn), capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert [line.split()[:4] for line in done.stdout.splitlines()] == [
        ["1"],
        ["1", "0", "0", "0"],
        ["1000", "True"],
        ["1"],
        ["0", "0"],
    ]


async def test_the_guide_to_searching_runs(store: WorkflowStore) -> None:
    (code,) = blocks("docs/searching.md", "python")[:1]
    await store.ingest([small_workflow("1", metadata=Metadata(title="Telegram AI agent"))])
    body = "\n".join(f"    {line}" for line in code.splitlines())
    names: dict[str, Any] = {}

    exec(f"async def example(store):\n{body}\n    return page", names)
    page = await names["example"](store)

    assert [hit.workflow.workflow_id for hit in page.items] == ["1"]


def test_the_readmes_commands_run_one_after_the_other(empty_database: str, workplace: Path) -> None:
    (session,) = blocks("README.md", "console")
    commands = [line.removeprefix("$ ") for line in session.splitlines()]

    for command in commands:
        done = subprocess.run(
            command, shell=True, cwd=workplace, env=environment(empty_database), capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        if command.endswith("exports --json"):
            assert '"unchanged": 1' in done.stdout
        if command.startswith("workflow-store get"):
            assert '"workflow_json"' in done.stdout


def test_the_plugin_runs_the_guides_test_for_a_stranger(tmp_path: Path) -> None:
    (test,) = blocks("docs/testing.md", "python")
    (options,) = blocks("docs/testing.md", "toml")
    (tmp_path / "test_mine.py").write_text(test, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(options, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=tmp_path, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert "workflow-store: tests ran on PostgreSQL" in done.stdout


@pytest.mark.parametrize("document", ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_every_link_leads_to_a_file(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", text)

    missing = [target for target in targets if not (ROOT / document).parent.joinpath(target).exists()]

    assert missing == []
