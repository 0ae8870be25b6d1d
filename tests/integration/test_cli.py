"""Every verb on a real database: answers for people and for programs, exit codes, errors."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.commands import (
    ROOT,
    in_a_loop,
    run,
    run_child,
    run_in_terminal,
    store_workflows,
    stored_workflow,
)
from tests.records import full_workflow
from workflow_store import Json, Metadata, Structure, Workflow, schema
from workflow_store.cli import statistics
from workflow_store.operations import upgrade
from workflow_store.samples import generate

HOSTILE = "\x1b[2J\x1b]0;owned\x07[bold red]not markup[/]\x9b31m\u202eevil"
N8N = {"name": "Hello", "nodes": [{"name": "a", "type": "n8n-nodes-base.set"}], "connections": {}}
MIGRATIONS = [path.stem for path in sorted((ROOT / "migrations").glob("*.sql")) if "rollback" not in path.name]


@pytest.fixture(autouse=True)
def no_settings_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "settings.toml").touch()
    monkeypatch.setenv("WORKFLOW_STORE_SETTINGS_FILE", str(tmp_path / "settings.toml"))
    for name in ("WORKFLOW_STORE_ADMIN_DSN", "WORKFLOW_STORE_DATA_DIR", "WORKFLOW_STORE_DEBUG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def dsn(database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The server of the commands: a migrated database."""
    monkeypatch.setenv("WORKFLOW_STORE_DSN", database_dsn)
    return database_dsn


@pytest.fixture
def empty(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The server of the commands: a database without the schema."""
    monkeypatch.setenv("WORKFLOW_STORE_DSN", empty_database)
    return empty_database


def _jsonl(path: Path, *lines: object) -> str:
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines), "utf-8")
    return str(path)


def _wrapped(source: str, **changes: Any) -> dict[str, Any]:
    return {"source": source, "workflow": {**N8N, **changes}}


class TestDatabase:
    def test_init_makes_the_schema_once_and_says_what_it_did(self, empty: str) -> None:
        first, second = run("db", "init"), run("db", "init", "--json")

        assert first.code == 0
        assert [line for line in first.out.splitlines() if line.startswith("applied ")] == [
            f"applied {name}" for name in MIGRATIONS
        ]
        assert (second.code, second.document["applied"], second.document["current"]) == (0, [], MIGRATIONS[-1])
        assert "nothing to do" in run("db", "init").out

    def test_status_tells_where_the_schema_stands(self, empty: str) -> None:
        before = run("db", "status", "--json")
        run("db", "upgrade", "--to", MIGRATIONS[0])
        between = run("db", "status", "--json")
        run("db", "upgrade")
        after = run("db", "status", "--json")

        assert (before.code, before.document["state"], before.document["current"]) == (0, "missing", None)
        assert (between.document["state"], between.document["pending"]) == ("outdated", MIGRATIONS[1:])
        assert (after.document["state"], after.document["pending"]) == ("current", [])
        assert after.document["server"]["kind"] == "given"
        assert int(after.document["server"]["version"].split(".")[0]) >= 15
        assert [migration["applied"] for migration in after.document["migrations"]] == [True] * len(MIGRATIONS)

    def test_status_for_people_names_server_state_and_waiting_migrations(self, empty: str) -> None:
        run("db", "upgrade", "--to", MIGRATIONS[0])

        lines = run("db", "status").out.splitlines()

        assert lines[0].startswith("server   PostgreSQL ")
        assert any(line.startswith("schema   outdated: workflow-store db upgrade") for line in lines)
        assert [line.split()[-1] for line in lines[-len(MIGRATIONS) + 1 :]] == ["waiting"] * (len(MIGRATIONS) - 1)

    def test_downgrade_without_anybody_to_ask_needs_yes(self, dsn: str) -> None:
        refused = run("db", "downgrade")
        done = run("db", "downgrade", "--yes", "--json")

        assert (refused.code, refused.out) == (2, "")
        assert "--yes" in refused.err
        assert (done.code, done.document["rolled_back"]) == (0, [MIGRATIONS[-1]])

    def test_downgrade_to_base_removes_all_and_says_so(self, dsn: str) -> None:
        ran = run("db", "downgrade", "--to", "base", "--yes")

        assert ran.code == 0
        assert ran.out.splitlines()[:-1] == [f"rolled back {name}" for name in reversed(MIGRATIONS)]
        assert "there is no schema" in ran.out
        assert run("db", "status", "--json").document["state"] == "missing"

    @pytest.mark.parametrize("answer", [b"\n", b"n\n", b"yess\n"])
    def test_downgrade_asks_and_does_nothing_without_a_yes(self, dsn: str, answer: bytes) -> None:
        code, shown = run_in_terminal("db", "downgrade", "--steps", "2", answer=answer)

        assert code == 1
        assert f"Roll back 2 migrations ({MIGRATIONS[-1]}, {MIGRATIONS[-2]}) on " in shown
        assert "nothing was done" in shown
        assert run("db", "status", "--json").document["state"] == "current"

    def test_downgrade_that_is_answered_with_yes_is_done(self, dsn: str) -> None:
        code, shown = run_in_terminal("db", "downgrade", "--to", MIGRATIONS[0], answer=b"y\n")

        assert code == 0
        assert f"Roll back {len(MIGRATIONS) - 1} migrations" in shown
        assert run("db", "status", "--json").document["current"] == MIGRATIONS[0]

    def test_a_schema_of_a_later_version_is_told(self, empty: str, tmp_path: Path) -> None:
        later = tmp_path / "migrations"
        shutil.copytree(ROOT / "migrations", later)
        # One ahead would do: the version before goes on while a migration rolls out.
        names = [f"{len(MIGRATIONS) + number:04}_later" for number in (1, 2)]
        for before, name in zip((MIGRATIONS[-1], names[0]), names, strict=True):
            for file in (f"{name}.sql", f"{name}.rollback.sql"):
                (later / file).write_text(f"-- depends: {before}\nSELECT 1;\n", "utf-8")
        in_a_loop(lambda: schema.migrate(empty, folder=later))

        told, shown, refused = run("db", "status", "--json"), run("db", "status"), run("stats")

        assert (told.document["state"], told.document["unknown"]) == ("too new", names)
        assert shown.out.splitlines()[-1].split("  ")[0] == names[-1]
        assert (refused.code, refused.out) == (3, "")

    def test_upgrade_server_shows_what_was_moved_and_what_is_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        report = upgrade.UpgradeReport(
            "17.6", "18.1", Path("/data"), Path("/data/old"), {"workflow_store.workflow_store.workflows": 1_234}, 5.25
        )
        asked: list[tuple[Path | None, Path | None]] = []

        def move(data_dir: Path | None, *, old_bin_dir: Path | None) -> upgrade.UpgradeReport:
            asked.append((data_dir, old_bin_dir))
            return report

        monkeypatch.setattr(upgrade, "upgrade_server", move)
        monkeypatch.setenv("WORKFLOW_STORE_DATA_DIR", "/data")

        shown, told = run("db", "upgrade-server"), run("db", "upgrade-server", "--old-bin-dir", "/bin", "--json")

        assert asked == [(Path("/data"), None), (Path("/data"), Path("/bin"))]
        assert shown.out.splitlines()[0].startswith("PostgreSQL 17.6 → 18.1 in ")
        assert "/data/old" in shown.out
        assert shown.out.splitlines()[-1].split() == ["workflow_store.workflow_store.workflows", "1,234"]
        assert (told.document["kept"], told.document["tables"]) == ("/data/old", dict(report.tables))

    @pytest.mark.parametrize(("target", "code"), [(MIGRATIONS[-1], 0), ("0999_none", 2)])
    def test_downgrade_asks_nothing_where_nothing_is_rolled_back(self, dsn: str, target: str, code: int) -> None:
        ended, shown = run_in_terminal("db", "downgrade", "--to", target)

        assert ended == code
        assert "Roll back" not in shown
        assert run("db", "status", "--json").document["state"] == "current"

    def test_unknown_migration_is_wrong_usage(self, dsn: str) -> None:
        assert run("db", "upgrade", "--to", "0999_none").code == 2
        assert run("db", "downgrade", "--to", MIGRATIONS[0], "--steps", "1", "--yes").code == 2


class TestIngest:
    def test_json_has_the_six_counts_and_the_rejections(self, dsn: str, tmp_path: Path) -> None:
        path = _jsonl(tmp_path / "some.jsonl", _wrapped("one"), '{"nodes": [', _wrapped("two"))

        ran = run("ingest", path, "--json")

        assert ran.code == 1
        assert ran.err == ""
        report = ran.document
        counts = {name: report[name] for name in ("inserted", "updated", "unchanged", "rejected")}
        assert counts == {"inserted": 2, "updated": 0, "unchanged": 0, "rejected": 1}
        assert report["bytes"] > 100
        assert report["seconds"] > 0
        (rejection,) = report["rejections"]
        assert (rejection["source"], rejection["position"]) == (f"{path}:2", 1)
        assert "not JSON" in rejection["reason"]

    def test_again_is_unchanged_and_a_change_is_an_update(self, dsn: str, tmp_path: Path) -> None:
        path = _jsonl(tmp_path / "some.jsonl", _wrapped("one"), _wrapped("two"))
        run("ingest", path)

        again = run("ingest", path, "--no-touch", "--json").document
        _jsonl(tmp_path / "some.jsonl", _wrapped("one", name="Changed"), _wrapped("two"))
        changed = run("ingest", path, "--batch-size", "1", "--connections", "40", "--json").document

        assert (again["unchanged"], again["inserted"]) == (2, 0)
        assert (changed["updated"], changed["unchanged"]) == (1, 1)

    def test_what_is_stored_is_skipped_or_refused_as_the_mode_says(self, dsn: str, tmp_path: Path) -> None:
        path = _jsonl(tmp_path / "some.jsonl", _wrapped("one"))
        run("ingest", path)
        _jsonl(tmp_path / "some.jsonl", _wrapped("one", name="Changed"), _wrapped("two"))

        skipped = run("ingest", path, "--mode", "skip", "--json")
        refused = run("ingest", path, "--mode", "insert", "--json")

        assert (skipped.code, skipped.document["inserted"], skipped.document["skipped"]) == (0, 1, 1)
        assert (refused.code, refused.document["inserted"], refused.document["rejected"]) == (1, 0, 2)
        assert refused.document["rejections"][0]["reason"] == "workflow 'one' already exists"

    def test_people_get_counts_rate_reasons_and_remarks(self, dsn: str, tmp_path: Path) -> None:
        bad = [f'{{"nodes": {number}}}' for number in range(12)]
        odd = [_wrapped(f"odd {number}", createdAt=f"{HOSTILE} {number}") for number in range(7)]
        path = _jsonl(tmp_path / "some.jsonl", *odd, *bad)

        ran = run("ingest", path)

        lines = [line.split() for line in ran.out.splitlines()]
        assert ran.code == 1
        assert ["inserted", "7"] in lines
        assert ["rejected", "12"] in lines
        assert ["rate"] in [line[:1] for line in lines]
        assert sum("its nodes are no list" in line for line in ran.out.splitlines()) == 10
        assert "… and 2 more, all in quarantine" in ran.out
        assert "(--json has more)" in ran.out
        assert "\x1b" not in ran.out

    def test_raise_stops_at_the_first_bad_record_and_reports_what_was_stored(self, dsn: str, tmp_path: Path) -> None:
        lines = [_wrapped(f"s{number}") for number in range(4)]
        path = _jsonl(tmp_path / "some.jsonl", *lines, "{", _wrapped("behind"))

        told = run("ingest", path, "--on-error", "raise", "--batch-size", "2", "--connections", "1", "--json")
        shown = run("ingest", path, "--on-error", "raise", "--batch-size", "2", "--connections", "1")

        assert (told.code, told.document["error"]["type"], told.document["inserted"]) == (1, "IngestError", 4)
        assert "record 4" in told.document["error"]["message"]
        assert (shown.code, "unchanged" in shown.out) == (1, True)
        assert f"workflow-store: error: record 4: {path}:5" in shown.err
        assert stored_workflow(dsn, "behind") is None

    def test_id_from_chooses_the_key_and_replace_deletes_parts(self, dsn: str, tmp_path: Path) -> None:
        store_workflows(dsn, [replace_id(full_workflow(), "chosen")])
        path = _jsonl(tmp_path / "some.jsonl", _wrapped("src", id="chosen"))

        run("ingest", path, "--id-from", "workflow", "--replace")

        stored = stored_workflow(dsn, "chosen")
        assert stored is not None
        assert stored.structure is not None
        assert stored.content is None

    def test_a_folder_a_file_and_a_pipe_are_read(self, dsn: str, tmp_path: Path) -> None:
        folder = tmp_path / "exports" / "inner"
        folder.mkdir(parents=True)
        (folder / "one.json").write_text(json.dumps(N8N), "utf-8")
        line = json.dumps(_wrapped("piped")).encode()

        ran = run("ingest", str(tmp_path / "exports"), _jsonl(tmp_path / "two.jsonl", _wrapped("two")), "--json")
        piped = run_child("ingest", "/dev/stdin", "--json", stdin=line)

        assert ran.document["inserted"] == 2
        assert (piped.code, piped.document["inserted"]) == (0, 1)
        assert stored_workflow(dsn, "inner/one.json") is not None

    @pytest.mark.parametrize("options", [["--batch-size", "0"], ["--connections", "0"], ["--id-from", "nowhere"]])
    def test_wrong_options_are_wrong_usage(self, dsn: str, tmp_path: Path, options: list[str]) -> None:
        ran = run("ingest", _jsonl(tmp_path / "some.jsonl", _wrapped("one")), *options, "--json")

        assert ran.code == 2
        assert set(ran.document["error"]) == {"type", "message"}
        assert stored_workflow(dsn, "one") is None

    def test_a_path_that_is_not_there_and_no_path_are_wrong_usage(self, dsn: str) -> None:
        absent, none = run("ingest", "/no/such/folder"), run("ingest")

        assert (absent.code, absent.out, none.code, none.out) == (2, "", 2, "")
        assert "/no/such/folder" in absent.err
        assert "see: workflow-store ingest --help" in none.err


def replace_id(workflow: Workflow, workflow_id: str) -> Workflow:
    return workflow.model_copy(update={"workflow_id": workflow_id})


class TestGet:
    def test_json_is_the_workflow_with_every_digit(self, dsn: str) -> None:
        workflow = full_workflow()
        store_workflows(dsn, [workflow])

        ran = run("get", workflow.workflow_id, "--json")

        assert (ran.code, ran.err, ran.out.count("\n")) == (0, "", 1)
        read = Workflow.from_json(ran.out)
        assert read == stored_workflow(dsn, workflow.workflow_id)
        assert read.structure is not None
        assert workflow.structure is not None
        assert read.structure.workflow_json == workflow.structure.workflow_json
        assert "1180591620717411303424" in ran.out
        assert ran.document["structure"]["workflow_json"]["nodes"]

    def test_people_get_the_facts_and_the_beginnings_of_texts(self, dsn: str) -> None:
        store_workflows(dsn, [full_workflow()])

        lines = run("get", "2462").out.splitlines()

        shown = {line.split("  ")[0]: line.split("  ", 1)[1].strip() for line in lines if "  " in line.strip()}
        assert lines[0] == "Telegram AI agent"
        assert shown["id"] == "2462"
        assert shown["views"] == "3,000,000,000"
        assert shown["quality"] == "85.3"
        assert shown["nodes"] == "2, 1 connections"
        assert shown["node types"] == "start, telegram"
        assert shown["last error"] == "layer 3 took long"
        assert shown["parts"].startswith("metadata, structure, content, ")
        assert "explainer" in lines
        assert "transcripts" in lines

    def test_include_leaves_the_other_parts_out(self, dsn: str) -> None:
        store_workflows(dsn, [full_workflow()])

        document = run("get", "2462", "--include", "structure", "--include", "content", "--json").document

        assert {"structure", "content"} < document.keys()
        assert not {"metadata", "transcripts"} & document.keys()

    def test_a_bare_workflow_is_shown_too(self, dsn: str) -> None:
        twins = ("n8n-nodes-base.set", "set", *(f"type{number}" for number in range(40)))
        bare = Workflow(workflow_id="-bare", url="u", metadata=Metadata(), structure=Structure(node_types=twins))
        store_workflows(dsn, [bare, Workflow(workflow_id="barest", url="u")])

        shown, barest = run("get", "--", "-bare"), run("get", "barest")

        assert shown.out.splitlines()[0] == "(no title)"
        assert "n8n-nodes-base.set, set, type0" in shown.out
        assert "and 12 more" in shown.out
        assert "none" in barest.out

    def test_what_is_not_there_is_said_and_the_exit_code_is_1(self, dsn: str) -> None:
        shown, told = run("get", f"no{HOSTILE}"), run("get", "nothing", "--json")

        assert (shown.code, shown.out) == (1, "")
        assert "there is no workflow" in shown.err
        assert "\x1b" not in shown.err
        assert (told.code, told.document["error"]["type"]) == (1, "NotFound")

    def test_scraped_text_can_not_reach_the_terminal_as_more_than_text(self, dsn: str) -> None:
        workflow = full_workflow()
        assert workflow.metadata is not None
        metadata = workflow.metadata.model_copy(
            update={"title": HOSTILE, "author_name": HOSTILE, "tags": (HOSTILE,), "description": HOSTILE}
        )
        transcripts = tuple(
            item.model_copy(update={"transcript_text": HOSTILE, "language": HOSTILE})
            for item in workflow.transcripts or ()
        )
        changed = {"workflow_id": f"id{HOSTILE}", "url": HOSTILE, "error_message": HOSTILE}
        hostile = workflow.model_copy(update={**changed, "metadata": metadata, "transcripts": transcripts})
        store_workflows(dsn, [hostile])

        shown = run("get", hostile.workflow_id).out + run("list").out
        code, on_terminal = run_in_terminal("get", hostile.workflow_id, "--json")

        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(shown)
        assert "[bold red]not markup[/]" in shown
        assert code == 0
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(on_terminal)
        assert Workflow.from_json(on_terminal.strip()).url == HOSTILE


class TestList:
    def test_pages_follow_one_another_to_the_end(self, dsn: str) -> None:
        store_workflows(dsn, generate(25))
        ids: list[str] = []
        after: list[str] = []

        for _ in range(4):
            page = run("list", "--order-by", "title", "--asc", "--limit", "10", "--total", "--json", *after).document
            ids += [item["workflow_id"] for item in page["items"]]
            assert page["total"] == 25
            if page["next"] is None:
                break
            after = ["--after", page["next"]]

        assert len(ids) == len(set(ids)) == 25

    def test_people_get_a_line_each_and_the_next_command(self, dsn: str) -> None:
        store_workflows(dsn, [full_workflow(), *generate(3)])

        ran = run("list", "--limit", "1", "--order-by", "views", "--total")
        end = run("list")

        head, row, total = ran.out.splitlines()
        assert head.split() == ["id", "title", "views", "nodes", "quality", "extracted", "(UTC)"]
        assert row.split("  ")[0:2] == ["2462", "Telegram AI agent"]
        assert row.split()[-5:] == ["3,000,000,000", "2", "85.3", "2026-05-04", "03:02"]
        assert total == "4 in all"
        assert "--after " in ran.err
        assert (len(end.out.splitlines()), end.err) == (5, "")

    def test_filters_offset_and_parts(self, dsn: str) -> None:
        bare = Workflow(workflow_id="bare", url="u", quality_score=10.0)
        store_workflows(dsn, [full_workflow(), bare])

        def ids(*options: str) -> list[str]:
            return [item["workflow_id"] for item in run("list", "--json", *options).document["items"]]

        assert ids("--layer1-success", "--layer2-success", "--layer3-success") == ["2462"]
        assert ids("--no-layer1-success", "--no-layer2-success") == ["bare"]
        assert ids("--min-quality", "50") == ["2462"]
        assert ids("--max-quality", "50") == ["bare"]
        assert len(ids("--offset", "1")) == 1
        (item,) = run("list", "--json", "--min-quality", "50", "--include", "structure").document["items"]
        assert item["structure"]["workflow_json"]
        assert "metadata" not in item

    def test_an_empty_store_and_an_empty_page_say_so(self, dsn: str) -> None:
        assert run("list").out == "no workflows\n"
        store_workflows(dsn, generate(1))
        assert run("list", "--offset", "5", "--total").out == "no workflows on this page\n1 in all\n"

    @pytest.mark.parametrize(
        "options",
        [["--limit", "0"], ["--limit", "many"], ["--order-by", "id"], ["--after", "damaged"], ["--sort"], ["more"]],
    )
    def test_wrong_options_are_wrong_usage(self, dsn: str, options: list[str]) -> None:
        shown, told = run("list", *options), run("list", *options, "--json")

        assert (shown.code, shown.out) == (2, "")
        assert shown.err.startswith("workflow-store: error: ")
        assert (told.code, told.err) == (2, "")
        assert told.document["error"]["message"] in shown.err


class TestDemo:
    def test_it_shows_the_whole_path_and_finds_everything_unchanged_again(self, empty: str) -> None:
        first, second = run("demo", "--count", "40"), run("demo", "--count", "40", "--json")

        assert first.code == 0
        for heading in ("ingesting 40 generated workflows", "the most viewed", "one of them", "statistics"):
            assert heading in first.out.splitlines()
        assert "The data lies in " in first.out
        document = second.document
        assert (second.code, document["report"]["unchanged"], document["list"]["total"]) == (0, 40, 40)
        assert document["workflow"]["workflow_id"] == document["list"]["items"][0]["workflow_id"]
        assert document["statistics"]["total_workflows"] == 40

    def test_it_takes_data_and_tells_what_was_rejected(self, empty: str, tmp_path: Path) -> None:
        path = _jsonl(tmp_path / "some.jsonl", _wrapped("it's one"), "{")

        ran = run("demo", path)

        assert ran.code == 1
        assert f"ingesting {path}" in ran.out
        assert "get 'it'\"'\"'s one'" in ran.out

    def test_it_ends_well_with_nothing_to_show(self, empty: str) -> None:
        shown, told = run("demo", "--count", "0"), run("demo", "--count", "0", "--json")

        assert (shown.code, "no workflows" in shown.out, "get ID" in shown.out) == (0, True, True)
        assert (told.code, told.document["workflow"]) == (0, None)

    def test_a_negative_count_is_wrong_usage(self, empty: str) -> None:
        assert run("demo", "--count", "-1").code == 2


class TestFailures:
    @pytest.mark.parametrize("verb", [["list"], ["stats"], ["get", "1"], ["export"]], ids=" ".join)
    def test_a_database_without_the_schema_is_told_with_the_command_that_makes_it(
        self, empty: str, verb: list[str]
    ) -> None:
        ran = run(*verb)

        assert (ran.code, ran.out) == (3, "")
        assert "workflow-store db init" in ran.err

    def test_an_older_schema_is_told_with_the_command_that_upgrades_it(self, empty: str) -> None:
        run("db", "upgrade", "--to", MIGRATIONS[0])

        ran = run("stats", "--json")

        assert (ran.code, ran.document["error"]["type"]) == (3, "SchemaOutdated")
        assert "workflow-store db upgrade" in ran.document["error"]["message"]

    @pytest.mark.parametrize("verb", [["list"], ["db", "init"], ["db", "status"], ["demo"]], ids=" ".join)
    def test_no_server_is_exit_code_3_and_no_secret_is_told(
        self, verb: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WORKFLOW_STORE_DSN", "postgresql://someone:canary@127.0.0.1:1/nowhere")

        shown, told = run(*verb), run(*verb, "--json", "--debug")

        assert (shown.code, shown.out) == (3, "")
        assert (told.code, told.document["error"]["type"]) == (3, "ServerUnavailable")
        assert "nowhere" in shown.err
        assert "Traceback" in told.err
        assert "canary" not in shown.err + told.out + told.err

    @pytest.mark.parametrize(("name", "value"), [("DSN", "mysql://u:canary@h/d"), ("BATCH_SIZE", "canary")])
    def test_a_setting_that_can_not_be_used_is_wrong_usage(
        self, name: str, value: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(f"WORKFLOW_STORE_{name}", value)

        ran = run("stats", "--json")

        assert (ran.code, ran.document["error"]["type"]) == (2, "SettingsError")
        assert f"WORKFLOW_STORE_{name}" in ran.document["error"]["message"]
        assert "canary" not in ran.out + ran.err

    def test_the_server_may_come_from_the_settings_file(
        self, database_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("WORKFLOW_STORE_DSN", raising=False)
        (tmp_path / "settings.toml").write_text(f'dsn = "{database_dsn}"\n', "utf-8")

        ran = run("stats", "--json")

        assert (ran.code, ran.err, ran.document["total_workflows"]) == (0, "", 0)

    def test_the_admin_server_is_the_one_that_is_migrated(
        self, empty_database: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WORKFLOW_STORE_DSN", "postgresql://someone@127.0.0.1:1/nowhere")
        monkeypatch.setenv("WORKFLOW_STORE_ADMIN_DSN", empty_database)

        assert run("db", "init", "--json").document["applied"] == MIGRATIONS

    def test_what_nobody_foresaw_is_one_line_and_debug_shows_the_rest(
        self, dsn: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken() -> Iterator[None]:
            raise RuntimeError("first line\nsecond line")

        monkeypatch.setattr(statistics, "command_settings", broken)

        shown, told = run("stats"), run("stats", "--json")
        monkeypatch.setenv("WORKFLOW_STORE_DEBUG", "1")
        traced = run("stats")

        assert (shown.code, shown.out) == (4, "")
        assert shown.err == "workflow-store: error: RuntimeError: first line (--debug shows more)\n"
        assert (told.code, told.document["error"]["type"]) == (4, "RuntimeError")
        assert "Traceback" in traced.err
        assert "second line" in traced.err


def test_python_m_is_the_same_command(dsn: str) -> None:
    store_workflows(dsn, [full_workflow()])

    child = run_child("get", "2462", "--json")

    assert replace(child, err="") == run("get", "2462", "--json")
    assert Json.parse(child.out.strip()) == Json.parse(run("get", "2462", "--json").out.strip())
