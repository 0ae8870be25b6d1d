"""What the README and the guides show is run as it stands."""

from __future__ import annotations

import asyncio
import gzip
import os
import pty
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.records import small_workflow
from workflow_store import Metadata, Rejected, Workflow, WorkflowStore

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


async def outcome(code: str, **names: Any) -> dict[str, Any]:
    """Run a guide's Python as the body of a coroutine; the names it leaves behind."""
    scope: dict[str, Any] = {}
    exec(f"async def example({', '.join(names)}):\n{textwrap.indent(code, '    ')}\n    return locals()", scope)
    left: dict[str, Any] = await scope["example"](**names)
    return left


async def answers(document: str, dsn: str, folder: Path) -> list[str]:
    """Run a guide's commands one after the other, at a terminal where each question is answered with yes.

    Returns:
        What each of them wrote to standard output.
    """
    (session,) = blocks(document, "sh")
    outputs: list[str] = []
    for command in session.splitlines():
        ours, theirs = pty.openpty()
        os.write(ours, b"y\n")
        done = await asyncio.to_thread(
            subprocess.run,
            command,
            shell=True,
            cwd=folder,
            env=environment(dsn) | {"WORKFLOW_STORE_MEDIA_DIR": str(folder / "media"), "COLUMNS": "120"},
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
            text=True,
        )
        os.close(theirs)
        said = os.read(ours, 65_536).decode("utf-8")
        os.close(ours)
        assert done.returncode == 0, f"{command}: {done.stdout}{said}"
        outputs.append(done.stdout)
    return outputs


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


def popular(number: int) -> Workflow:
    """One of those that the guide to listing asks for."""
    metadata = Metadata(title=f"Workflow {number}", views=1_000 + number, categories=("AI",))
    return small_workflow(f"{number:03}", quality_score=float(number), metadata=metadata)


async def test_the_guide_to_listing_runs(store: WorkflowStore) -> None:
    (code,) = blocks("docs/listing.md", "python")
    await store.ingest([*map(popular, range(60)), small_workflow("no views")])

    left = await outcome(code, store=store)

    assert [item.workflow_id for item in left["page"].items] == [f"{number:03}" for number in reversed(range(10))]
    assert left["count"] == 60
    assert left["workflow"].structure is not None


async def test_the_commands_of_the_guide_to_listing_run(
    store: WorkflowStore, database_dsn: str, tmp_path: Path
) -> None:
    await store.ingest([*map(popular, range(60)), small_workflow("no views")])

    listed, counted = await answers("docs/listing.md", database_dsn, tmp_path)

    assert [f"Workflow {number} " in listed for number in (59, 10, 9)] == [True, True, False]
    assert counted == "60 workflows\n"


async def test_the_guide_to_media_runs(store: WorkflowStore) -> None:
    (code,) = blocks("docs/media.md", "python")
    await store.create_workflow(small_workflow("2462"))
    await store.media.put("2462", "talk.mp4", b"a talk")

    left = await outcome(code, store=store, data=b"a cover")

    assert (left["file"].name, left["data"], left["piece"]) == ("cover.png", b"a cover", b"a talk")
    assert [file.name for file in left["files"]] == ["cover.png", "talk.mp4"]
    assert [file.name for file in await store.media.list("2462")] == ["talk.mp4"]
    # Within the grace period nothing is deleted.
    assert (left["report"].collected, left["report"].young) == (0, 2)


async def test_the_commands_of_the_guide_to_media_run(store: WorkflowStore, database_dsn: str, tmp_path: Path) -> None:
    await store.create_workflow(small_workflow("2462"))
    (tmp_path / "cover.png").write_bytes(b"a cover")

    _, _, _, listed, deleted, _ = await answers("docs/media.md", database_dsn, tmp_path)

    assert (tmp_path / "cover.png").read_bytes() == b"a cover"
    assert "cover.png" in listed
    assert "deleted" in deleted
    assert await store.media.list("2462") == ()


def test_the_guide_to_importing_runs(tmp_path: Path) -> None:
    (code,) = blocks("docs/importing.md", "python")
    lines = '{"source": "a/1", "workflow": {"name": "One", "nodes": [], "connections": {}}}\n{"nodes": [\n'
    (tmp_path / "templates.jsonl.gz").write_bytes(gzip.compress(lines.encode("ascii")))

    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first == "a/1 ()"
    assert second.startswith("templates.jsonl.gz:2 ")


async def test_the_commands_of_the_guide_to_scraping_run(
    store: WorkflowStore, database_dsn: str, tmp_path: Path
) -> None:
    (tmp_path / "ids-and-urls.tsv").write_text("2463\thttps://n8n.io/workflows/2463\n", encoding="utf-8")

    _, _, pending = await answers("docs/scraping.md", database_dsn, tmp_path)

    assert "https://n8n.io/workflows/2462" in pending
    (claim,) = await store.claim(1, lease=60)
    assert (claim.workflow_id, claim.url) == ("2462", "https://n8n.io/workflows/2462")


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


async def test_the_guide_to_quarantine_runs_and_answers_as_it_says(
    store: WorkflowStore, capsys: pytest.CaptureFixture[str]
) -> None:
    look, retry, purge = blocks("docs/quarantine.md", "python")
    good = small_workflow("1").to_json().raw
    await store.ingest(
        [
            Rejected(source="exports/a.json", reason="a limit", raw=good),
            Rejected(source="https://n8n.io/2", reason="?", raw=b"<title>Two</title>", workflow_id="2"),
            Rejected(source="https://n8n.io/3", reason="?", raw=b"<html>", workflow_id="3"),
        ]
    )

    looked = await outcome(look, store=store)
    await outcome(retry, store=store)
    await outcome(purge, store=store)

    assert looked["record"].raw == good
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith(" exports/a.json a limit 1")
    assert said[1:] == [str(good), "3", "1 0 2", "1 1", "0 1"]
    workflow = await store.get_workflow("2")
    assert workflow is not None
    assert workflow.metadata is not None
    assert workflow.metadata.title == "Two"


async def test_the_guide_to_quarantine_runs_on_the_command_line(database_dsn: str, workplace: Path) -> None:
    written = b'{"name": "a\\u0000b", "nodes": []}'
    (workplace / "exports" / "nul.json").write_bytes(written)
    ingested = subprocess.run(
        ["workflow-store", "ingest", "exports"], cwd=workplace, env=environment(database_dsn), capture_output=True
    )
    assert ingested.returncode == 1

    listed, _, shown, raw, retried, purged = await answers("docs/quarantine.md", database_dsn, workplace)

    assert "exports/nul.json" in listed
    assert "a NUL character" in shown
    assert (raw, (workplace / "record.json").read_bytes()) == ("", written)
    assert re.search(r"inserted +1\n", retried)
    assert purged == "0 records deleted\n"


@pytest.mark.parametrize("document", ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_every_link_leads_to_a_file(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", text)

    missing = [target for target in targets if not (ROOT / document).parent.joinpath(target).exists()]

    assert missing == []
