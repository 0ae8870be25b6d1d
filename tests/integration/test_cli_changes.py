"""``update`` and ``delete`` on a real database: what is changed, refused, asked and told."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.commands import run, run_child, run_in_terminal, store_workflows, stored_workflow, with_store
from tests.records import full_workflow, small_workflow
from workflow_store import Workflow


class TestUpdate:
    def test_named_fields_are_set_and_the_others_stay(self, dsn: str) -> None:
        store_workflows(dsn, [full_workflow()])
        before = stored_workflow(dsn, "2462")

        ran = run(
            *("update", "2462", "--set", "quality_score=91.0", "--set", "metadata.views=5"),
            *("--set", "metadata.tags=ai,telegram", "--clear", "metadata.description"),
        )

        assert (ran.code, ran.err) == (0, "")
        assert ran.out == "updated 2462: quality_score, metadata.views, metadata.tags, metadata.description\n"
        assert before is not None
        assert before.metadata is not None
        changed = {"views": 5, "tags": ("ai", "telegram"), "description": None}
        metadata = before.metadata.model_copy(update=changed)
        after = stored_workflow(dsn, "2462")
        assert after is not None
        expected = {"quality_score": 91.0, "metadata": metadata, "updated_at": after.updated_at}
        assert after == before.model_copy(update=expected)

    def test_json_prints_the_workflow_as_it_is_stored_then(self, dsn: str) -> None:
        store_workflows(dsn, [full_workflow()])

        ran = run("update", "2462", "--set", "metadata.title=Other", "--json")

        assert (ran.code, ran.err) == (0, "")
        assert Workflow.from_json(ran.out) == stored_workflow(dsn, "2462")
        assert ran.document["metadata"]["title"] == "Other"

    def test_every_part_can_come_from_a_file_or_a_pipe(self, dsn: str, tmp_path: Path) -> None:
        store_workflows(dsn, [small_workflow("1")])
        document = {
            "retry_count": 3,
            "metadata": {"views": 6},
            "structure": {"node_count": 2},
            "content": {"explainer_text": "First"},
            "transcripts": [{"video_url": "https://youtu.be/1"}],
        }
        (tmp_path / "changes.json").write_text(json.dumps(document), "utf-8")

        filed = run("update", "1", "--from", str(tmp_path / "changes.json"), "--set", "metadata.views=7")
        piped = run_child("update", "1", "--from", "-", stdin=b'{"structure": {"workflow_json": {"n": 1.0}}}')

        assert (filed.code, piped.code) == (0, 0)
        stored = stored_workflow(dsn, "1")
        assert stored is not None
        assert stored.metadata is not None
        assert stored.structure is not None
        assert stored.content is not None
        assert stored.transcripts is not None
        assert (stored.retry_count, stored.metadata.views, stored.structure.node_count) == (3, 7, 2)
        assert (stored.content.explainer_text, stored.transcripts[0].video_url) == ("First", "https://youtu.be/1")
        assert str(stored.structure.workflow_json) == '{"n": 1.0}'

    @pytest.mark.parametrize(
        ("name", "listed"),
        [
            ("nonsense", "quality_score"),
            ("updated_at", "quality_score"),
            ("layer1_success", "quality_score"),
            ("workflow_id", "quality_score"),
            ("metadata.nonsense", "author_name"),
            ("page.title", "structure"),
        ],
    )
    def test_a_name_that_is_not_to_be_set_is_refused_with_those_that_are(
        self, dsn: str, name: str, listed: str
    ) -> None:
        store_workflows(dsn, [small_workflow("1")])
        before = stored_workflow(dsn, "1")

        ran = run("update", "1", "--set", f"{name}=1", "--set", "quality_score=1", "--json")

        assert (ran.code, ran.document["error"]["type"]) == (2, "InvalidField")
        assert ran.document["error"]["message"].startswith(f"{name}: ")
        assert listed in ran.document["error"]["message"]
        assert stored_workflow(dsn, "1") == before

    @pytest.mark.parametrize(
        "options",
        [
            ["--set", "metadata.views=many"],
            ["--set", "quality_score=nan"],
            ["--set", "extracted_at=soon"],
            ["--set", "structure.workflow_json={"],
            ["--clear", "url"],
        ],
    )
    def test_a_value_that_does_not_fit_is_told_with_its_field(self, dsn: str, options: list[str]) -> None:
        store_workflows(dsn, [small_workflow("1")])
        before = stored_workflow(dsn, "1")

        ran = run("update", "1", *options, "--json")

        assert (ran.code, ran.document["error"]["type"]) == (1, "InvalidRecord")
        assert ran.document["error"]["message"].startswith(options[1].partition("=")[0])
        assert stored_workflow(dsn, "1") == before

    def test_an_id_that_is_not_stored_is_said_and_the_exit_code_is_1(self, dsn: str) -> None:
        ran = run("update", "nothing", "--set", "url=u")

        assert (ran.code, ran.out) == (1, "")
        assert "there is no workflow 'nothing'" in ran.err

    @pytest.mark.parametrize("options", [[], ["--set", "views"], ["--from", "/no/such/file"], ["--from", "."]])
    def test_nothing_to_change_or_to_read_is_wrong_usage(self, dsn: str, options: list[str]) -> None:
        ran = run("update", "1", *options)

        assert (ran.code, ran.out) == (2, "")

    def test_a_file_that_is_no_object_is_told(self, dsn: str) -> None:
        ran = run_child("update", "1", "--from", "-", "--json", stdin=b"[1]")

        assert (ran.code, ran.document["error"]["type"]) == (1, "InvalidJson")


class TestDelete:
    def test_it_says_what_was_deleted_and_what_was_not_there(self, dsn: str) -> None:
        store_workflows(dsn, [small_workflow(str(number)) for number in range(4)])

        shown = run("delete", "1", "0", "nothing", "1", "no\x1b[2J", "\udcff", "--yes")
        told = run("delete", "3", "2", "3", "--yes", "--json")

        assert (shown.code, shown.out) == (1, "deleted 1\ndeleted 0\n")
        assert shown.err.splitlines() == [
            "workflow-store: there is no workflow nothing",
            "workflow-store: there is no workflow no\\u001b[2J",
            "workflow-store: there is no workflow \\udcff",
        ]
        assert (told.code, told.document) == (0, {"deleted": ["3", "2"], "missing": []})
        assert run("count", "--json").document == {"total": 0}

    def test_without_anybody_to_ask_it_needs_yes(self, dsn: str) -> None:
        store_workflows(dsn, [small_workflow("1")])

        shown, told = run("delete", "1"), run_child("delete", "1", "--json", stdin=b"y\n")

        assert (shown.code, shown.out, told.code) == (2, "", 2)
        assert "--yes" in shown.err
        assert told.document["error"]["type"] == "UsageError"
        assert stored_workflow(dsn, "1") is not None

    @pytest.mark.parametrize("answer", [b"\n", b"n\n", b"yess\n"])
    def test_it_asks_and_does_nothing_without_a_yes(self, dsn: str, answer: bytes) -> None:
        store_workflows(dsn, [small_workflow(str(number)) for number in range(7)])

        code, shown = run_in_terminal("delete", *map(str, range(7)), "nothing", answer=answer)

        assert code == 1
        assert "Delete 7 workflows (0, 1, 2, 3, 4 and 2 more) on " in shown
        assert "nothing was done" in shown
        assert run("count", "--json").document == {"total": 7}

    def test_a_yes_deletes(self, dsn: str) -> None:
        store_workflows(dsn, [small_workflow("1")])

        code, shown = run_in_terminal("delete", "1", answer=b"y\n")

        assert code == 0
        assert "Delete 1 workflow (1) on " in shown
        assert stored_workflow(dsn, "1") is None

    def test_it_asks_nothing_where_nothing_would_be_deleted(self, dsn: str) -> None:
        code, shown = run_in_terminal("delete", "nothing")

        assert code == 1
        assert "[y/N]" not in shown
        assert "there is no workflow nothing" in shown

    @pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
    def test_a_stop_is_heeded_while_it_asks(self, dsn: str, number: signal.Signals, code: int) -> None:
        store_workflows(dsn, [small_workflow("1")])

        ended, shown = run_in_terminal("delete", "1", stop_when_asked=number)

        assert ended == code
        assert "Traceback" not in shown
        assert stored_workflow(dsn, "1") is not None

    def test_media_links_go_too(self, dsn: str) -> None:
        store_workflows(dsn, [full_workflow()])
        with_store(dsn, lambda store: store.media.put("2462", "a.txt", b"x"))

        run("delete", "2462", "--yes")

        assert with_store(dsn, lambda store: store.media.list("2462")) == ()

    def test_no_id_is_wrong_usage(self, dsn: str) -> None:
        assert run("delete", "--yes").code == 2
