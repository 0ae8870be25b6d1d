"""The command as a process: terminals, pipes, signals, the embedded server."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.commands import (
    PROGRAM,
    ROOT,
    child_environment,
    run,
    run_child,
    run_in_terminal,
    said,
    seen,
    store_workflows,
)
from tests.records import full_workflow
from workflow_store.cli import demo
from workflow_store.samples import generate

LONG_ID = "someone/n8n-workflows/workflows/Datetime/1272_Datetime_Webhook_Create_Webhook_with_a_long_name.json"


@pytest.fixture(autouse=True)
def no_settings_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "settings.toml").touch()
    monkeypatch.setenv("WORKFLOW_STORE_SETTINGS_FILE", str(tmp_path / "settings.toml"))


@pytest.fixture
def dsn(database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("WORKFLOW_STORE_DSN", database_dsn)
    return database_dsn


@pytest.mark.parametrize("columns", [80, 120])
def test_a_list_fits_the_terminal(dsn: str, columns: int) -> None:
    store_workflows(dsn, generate(12))

    code, shown = run_in_terminal("list", "--limit", "10", columns=columns)

    lines = seen(shown)
    assert code == 0
    assert lines[0].split() == ["id", "title", "views", "nodes", "quality", "extracted", "(UTC)"]
    assert all(re.fullmatch(r"\d{4} +\S.* \d{4}-\d\d-\d\d \d\d:\d\d", line) for line in lines[1:11])
    assert max(len(line) for line in lines[:11]) <= columns


@pytest.mark.parametrize("columns", [80, 120])
def test_an_id_too_long_for_its_column_is_whole_on_a_line_of_its_own(dsn: str, columns: int) -> None:
    store_workflows(dsn, [full_workflow(LONG_ID), full_workflow("2462")])

    _, listed = run_in_terminal("list", columns=columns)
    _, shown = run_in_terminal("get", LONG_ID, columns=columns)

    assert f"  {LONG_ID}" in seen(listed)
    assert "  2462" in seen(listed)
    assert f"id   {LONG_ID}" in seen(shown)


def test_where_nobody_looks_at_a_terminal_nothing_is_cut_padded_or_coloured(dsn: str) -> None:
    store_workflows(dsn, [full_workflow(LONG_ID)])

    listed, shown = run_child("list"), run_child("get", LONG_ID)

    assert listed.out.splitlines()[1].startswith(f"{LONG_ID}  Telegram AI agent  ")
    assert "\x1b" not in listed.out + shown.out
    assert all(line == line.rstrip() for line in shown.out.splitlines())


def test_a_terminal_shows_a_bar_and_json_shows_none(dsn: str, tmp_path: Path) -> None:
    store_workflows(dsn, generate(300))
    run("export", "--output", str(tmp_path / "all.jsonl"))
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{\n", "utf-8")

    code, shown = run_in_terminal("ingest", str(bad), str(tmp_path / "all.jsonl"), "--batch-size", "50")
    _, told = run_in_terminal("ingest", str(tmp_path / "all.jsonl"), "--json")

    assert code == 1
    assert "ingesting" in shown
    assert "1 rejected" in shown
    assert json.loads(told)["unchanged"] == 300


@pytest.mark.parametrize("verb", [["export"], ["list", "--limit", "1000", "--json"], ["list", "--limit", "1000"]])
def test_a_reader_that_goes_away_ends_the_command_in_silence(dsn: str, verb: list[str]) -> None:
    store_workflows(dsn, generate(400))

    child = subprocess.Popen(
        [*PROGRAM, *verb], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=child_environment()
    )
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.read(10 if verb == ["export"] else 0)
    child.stdout.close()
    told = said(child.stderr.read())
    child.stderr.close()

    assert (child.wait(60), told) == (141, "")


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_signal_ends_an_ingest_with_a_word_and_no_traceback(
    dsn: str, number: signal.Signals, code: int, word: str
) -> None:
    child = subprocess.Popen(
        [*PROGRAM, "demo", "--count", "1000000"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=child_environment(),
    )
    assert child.stderr is not None
    deadline = time.monotonic() + 60
    while not run("stats", "--json").document["total_workflows"]:
        assert time.monotonic() < deadline, "nothing was stored in time"
        time.sleep(0.1)

    child.send_signal(number)
    try:
        told = said(child.communicate(timeout=60)[1])
    finally:
        child.kill()

    assert child.returncode == code
    assert told.splitlines()[-1] == f"workflow-store: {word}"
    stored = re.search(r"stopped; ([\d,]+) workflows? stored before that", told)
    assert stored is not None
    assert "Traceback" not in told
    assert run("stats", "--json").document["total_workflows"] >= int(stored[1].replace(",", ""))


def test_without_a_dsn_the_embedded_server_serves_and_is_named_on_stderr(data_dir: Path) -> None:
    demonstrated = run_child("demo", "--count", "20")
    told = run_child("stats", "--json")
    status = run_child("db", "status", "--json")
    initialised = run_child("db", "init")

    assert (demonstrated.code, told.code, status.code, initialised.code) == (0, 0, 0, 0)
    assert f"The data lies in the folder {data_dir}." in demonstrated.out
    for ran in (demonstrated, told, status, initialised):
        assert ran.err.count("using the embedded PostgreSQL") == 1
    assert told.document["total_workflows"] == 20
    server = status.document["server"]
    assert (server["kind"], server["address"], server["durable"]) == ("embedded", str(data_dir), True)
    assert "nothing to do" in initialised.out


def test_upgrade_server_says_that_there_is_nothing_to_upgrade(data_dir: Path) -> None:
    ran = run_child("db", "upgrade-server", "--json")

    assert (ran.code, ran.document["error"]["type"]) == (3, "EmbeddedError")
    assert "no data to upgrade" in ran.document["error"]["message"]


def test_a_locale_without_the_characters_does_not_end_the_command(dsn: str) -> None:
    store_workflows(dsn, [full_workflow()])
    title = "Telegram AI agent"

    ran = run_child("get", "2462", environment={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})

    assert (ran.code, ran.out.splitlines()[0]) == (0, title)
    assert "?" in ran.out


def test_the_next_commands_are_spelt_as_this_one_was_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "bin" / "workflow-store"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n", "utf-8")
    script.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(script)])

    monkeypatch.setenv("PATH", str(script.parent))
    on_path = demo.program_name()
    monkeypatch.setenv("PATH", os.defpath)
    below = demo.program_name()
    monkeypatch.chdir("/")
    monkeypatch.setattr(sys, "argv", [os.path.relpath(script, "/")])
    relative = demo.program_name()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setattr(sys, "argv", [str(script)])
    absolute = demo.program_name()

    assert (on_path, below) == ("workflow-store", "bin/workflow-store")
    assert relative == os.path.relpath(script, "/")
    assert absolute == str(script)
