"""What export writes, ingest reads back; a file is there as a whole or not at all."""

from __future__ import annotations

import gzip
import json
import os
import stat
from pathlib import Path

import pytest

from tests.commands import run, run_in_terminal, seen, store_workflows, with_store
from tests.records import full_workflow
from workflow_store import Workflow, WorkflowStore
from workflow_store.cli import export as module
from workflow_store.samples import generate

STAMPS = {"updated_at"}


def _everything(dsn: str) -> dict[str, Workflow]:
    async def work(store: WorkflowStore) -> dict[str, Workflow]:
        page = await store.list_workflows(limit=1_000, include=())
        found = [await store.get_workflow(listed.workflow_id) for listed in page.items]
        return {
            workflow.workflow_id: workflow.model_copy(update=dict.fromkeys(STAMPS)) for workflow in found if workflow
        }

    return with_store(dsn, work)


@pytest.mark.parametrize("name", ["all.jsonl", "all.jsonl.gz"])
def test_an_export_that_is_ingested_elsewhere_gives_the_same_workflows(
    dsn: str, empty_database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    bare = Workflow(workflow_id="bare", url="u", error_message="nothing was found", transcripts=())
    store_workflows(dsn, [full_workflow(), bare, *generate(60)])
    monkeypatch.setattr(module, "_PAGE", 25)
    path = tmp_path / name

    report = run("export", "--output", str(path), "--json").document
    monkeypatch.setenv("WORKFLOW_STORE_DSN", empty_database)
    run("db", "init")
    ingested = run("ingest", str(path), "--json")

    assert (report["workflows"], report["output"]) == (62, str(path))
    assert (path.read_bytes()[:2] == b"\x1f\x8b") == name.endswith(".gz")
    opened = gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()
    assert report["bytes"] == len(opened)
    assert (ingested.code, ingested.document["inserted"], ingested.document["rejected"]) == (0, 62, 0)
    assert _everything(empty_database) == _everything(dsn)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_standard_output_is_lines_of_json_and_nothing_else(dsn: str) -> None:
    store_workflows(dsn, [full_workflow(str(number)) for number in range(3)])

    default, dash = run("export"), run("export", "-o", "-")

    assert {json.loads(line)["workflow_id"] for line in default.out.splitlines()} == {"0", "1", "2"}
    assert default.out == dash.out
    assert default.err.startswith("3 workflows, ")


def test_in_a_terminal_it_is_escaped_and_has_a_bar_and_a_report(dsn: str, tmp_path: Path) -> None:
    hostile = full_workflow().model_copy(update={"error_message": "\x9b2J\u202e"})
    store_workflows(dsn, [hostile, *generate(60)])

    code, shown = run_in_terminal("export")
    _, to_file = run_in_terminal("export", "--output", str(tmp_path / "some.jsonl"))

    assert code == 0
    assert not {"\x9b", "\u202e"} & set(shown)
    assert '"error_message":"\\u009b2J\\u202e"' in shown
    assert "exporting" not in shown
    assert "exporting" in to_file
    assert "of 61" in to_file
    assert any(line.startswith("61 workflows, ") for line in seen(to_file))


def test_an_empty_store_is_an_empty_file(dsn: str, tmp_path: Path) -> None:
    path = tmp_path / "none.jsonl"

    ran = run("export", "--output", str(path), "--json")

    assert (ran.code, ran.document["workflows"], path.read_bytes()) == (0, 0, b"")


def test_json_needs_a_file(dsn: str) -> None:
    ran = run("export", "--json")

    assert (ran.code, ran.document["error"]["type"]) == (2, "UsageError")


@pytest.mark.parametrize("name", ["absent/all.jsonl", "."])
def test_a_place_that_can_not_be_written_is_wrong_usage(dsn: str, tmp_path: Path, name: str) -> None:
    ran = run("export", "--output", str(tmp_path / name))

    assert (ran.code, ran.out) == (2, "")
    assert "can't be written" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_old_file_and_no_other(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store_workflows(dsn, generate(3))
    path = tmp_path / "all.jsonl"
    path.write_text("the old one", "utf-8")

    def full(_workflow: Workflow) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Workflow, "to_json", full)

    ran = run("export", "--output", str(path))

    assert ran.code == 4
    assert "No space left on device" in ran.err
    assert path.read_text("utf-8") == "the old one"
    assert [entry.name for entry in tmp_path.iterdir()] == ["all.jsonl"]


def test_a_file_gets_the_rights_that_the_umask_leaves(dsn: str, tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    before = os.umask(0o027)
    try:
        run("export", "--output", str(path))
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_leads_to_the_file_and_a_device_is_never_replaced(dsn: str, tmp_path: Path) -> None:
    store_workflows(dsn, generate(2))
    (tmp_path / "real.jsonl").write_text("", "utf-8")
    link = tmp_path / "link.jsonl"
    link.symlink_to("real.jsonl")

    linked, device = run("export", "--output", str(link)), run("export", "--output", os.devnull)

    assert (linked.code, device.code) == (0, 0)
    assert link.is_symlink()
    assert len((tmp_path / "real.jsonl").read_text("utf-8").splitlines()) == 2
    assert Path(os.devnull).is_char_device()


def test_a_device_that_fails_is_left_where_it_is(dsn: str) -> None:
    if not Path("/dev/full").is_char_device():
        pytest.skip("there is no /dev/full here")
    store_workflows(dsn, generate(2))

    ran = run("export", "--output", "/dev/full")

    assert ran.code == 4
    assert Path("/dev/full").is_char_device()
