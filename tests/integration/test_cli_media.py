"""``media``: files go in and come out whole, and nothing is half written, overwritten or deleted by mistake."""

from __future__ import annotations

import hashlib
import signal
import subprocess
from pathlib import Path

import pytest

from tests.commands import (
    PROGRAM,
    ROOT,
    child_environment,
    run,
    run_child,
    run_in_terminal,
    store_workflows,
    with_store,
)
from tests.records import small_workflow

BYTES = bytes(range(256)) * 5_000


@pytest.fixture
def stored(dsn: str) -> str:
    """A server with a workflow that has a file."""
    store_workflows(dsn, [small_workflow("1")])
    with_store(dsn, lambda store: store.media.put("1", "cover.png", b"a cover"))
    return dsn


def _names(dsn: str) -> list[str]:
    return [file.name for file in with_store(dsn, lambda store: store.media.list("1"))]


def _content(dsn: str, name: str) -> bytes:
    return with_store(dsn, lambda store: store.media.get("1", name))


def _raw(*arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*PROGRAM, *arguments], input=stdin, capture_output=True, cwd=ROOT, env=child_environment(), check=False
    )


class TestPut:
    def test_a_file_is_stored_under_its_name_with_the_type_it_suggests(self, stored: str, tmp_path: Path) -> None:
        (tmp_path / "shot.jpg").write_bytes(BYTES)

        shown = run("media", "put", "1", str(tmp_path / "shot.jpg"))
        told = run(
            "media", "put", "1", str(tmp_path / "shot.jpg"), "--name", "b", "--content-type", "image/webp", "--json"
        )

        assert (shown.code, shown.out) == (0, "stored shot.jpg: 1.3 MB, image/jpeg\n")
        assert _content(stored, "shot.jpg") == BYTES
        document = told.document
        assert (document["name"], document["size"], document["content_type"]) == ("b", len(BYTES), "image/webp")
        assert document["sha256"] == hashlib.sha256(BYTES).hexdigest()

    def test_standard_input_is_a_pipe_or_a_file(self, stored: str, tmp_path: Path) -> None:
        (tmp_path / "redirected").write_bytes(BYTES)

        piped = _raw("media", "put", "1", "-", "--name", "piped", stdin=BYTES)
        with (tmp_path / "redirected").open("rb") as file:
            redirected = subprocess.run(
                [*PROGRAM, "media", "put", "1", "-", "--name", "redirected"],
                stdin=file,
                capture_output=True,
                cwd=ROOT,
                env=child_environment(),
                check=False,
            )

        assert (piped.returncode, redirected.returncode) == (0, 0)
        assert _content(stored, "piped") == _content(stored, "redirected") == BYTES

    def test_a_stop_is_heeded_while_standard_input_is_awaited(self, stored: str, tmp_path: Path) -> None:
        child = subprocess.Popen(
            [*PROGRAM, "media", "put", "1", "-", "--name", "slow"],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env=child_environment(),
        )
        assert child.stdin is not None
        # More than a pipe holds, so that all this is written only when the command reads.
        child.stdin.write(BYTES)
        child.stdin.flush()

        child.send_signal(signal.SIGINT)
        try:
            code = child.wait(60)
        finally:
            child.kill()
            child.stdin.close()

        assert code == 130
        assert _names(stored) == ["cover.png"]
        assert list((tmp_path / "media" / "tmp").iterdir()) == []

    @pytest.mark.parametrize(
        "arguments",
        [["-"], ["/no/such/file"], ["."], ["Makefile", "--content-type", "nonsense"], ["Makefile", "--name", ""], []],
    )
    def test_what_can_not_be_read_or_named_is_wrong_usage(self, stored: str, arguments: list[str]) -> None:
        ran = run("media", "put", "1", *arguments)

        assert (ran.code, ran.out) == (2, "")
        assert _names(stored) == ["cover.png"]

    def test_a_workflow_that_is_not_stored_and_a_file_too_large_are_refused(
        self, stored: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        absent = run("media", "put", "nothing", "Makefile", "--json")
        monkeypatch.setenv("WORKFLOW_STORE_MEDIA_MAX_BYTES", "10")
        large = run("media", "put", "1", "Makefile", "--json")

        assert (absent.code, absent.document["error"]["type"]) == (1, "WorkflowMissing")
        assert (large.code, large.document["error"]["type"]) == (1, "MediaTooLarge")

    def test_a_place_that_can_not_be_written_is_exit_code_3(
        self, stored: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "occupied").write_bytes(b"")
        monkeypatch.setenv("WORKFLOW_STORE_MEDIA_DIR", str(tmp_path / "occupied"))

        ran = run("media", "put", "1", "Makefile", "--json")

        assert (ran.code, ran.document["error"]["type"]) == (3, "MediaUnavailable")


class TestGet:
    def test_standard_output_is_the_bytes_and_nothing_else(self, stored: str) -> None:
        with_store(stored, lambda store: store.media.put("1", "raw", BYTES))

        ran = _raw("media", "get", "1", "raw")

        assert (ran.returncode, ran.stdout) == (0, BYTES)

    def test_a_file_takes_its_name_when_it_is_whole(self, stored: str, tmp_path: Path) -> None:
        target = tmp_path / "out" / "cover.png"
        target.parent.mkdir()
        target.write_bytes(b"the old one")

        shown = run("media", "get", "1", "cover.png", "--output", str(target))
        told = run("media", "get", "1", "cover.png", "-o", str(target), "--json")

        assert (shown.code, shown.out, target.read_bytes()) == (0, "", b"a cover")
        assert shown.err == f"7 B in {target}\n"
        assert (told.document["output"], told.document["content_type"]) == (str(target), "image/png")
        assert [entry.name for entry in target.parent.iterdir()] == ["cover.png"]

    def test_a_damaged_file_leaves_the_old_one_and_no_other(self, stored: str, tmp_path: Path) -> None:
        (blob,) = [path for path in (tmp_path / "media").glob("??/??/*") if path.is_file()]
        blob.chmod(0o600)
        blob.write_bytes(b"a c0ver")
        target = tmp_path / "out" / "cover.png"
        target.parent.mkdir()
        target.write_bytes(b"the old one")

        ran = run("media", "get", "1", "cover.png", "-o", str(target), "--json")

        assert (ran.code, ran.document["error"]["type"]) == (1, "MediaCorrupt")
        assert target.read_bytes() == b"the old one"
        assert [entry.name for entry in target.parent.iterdir()] == ["cover.png"]

    def test_a_file_that_is_not_there_leaves_no_other(self, stored: str, tmp_path: Path) -> None:
        target = tmp_path / "none.png"

        ran = run("media", "get", "1", "none.png", "-o", str(target), "--json")

        assert (ran.code, ran.document["error"]["type"]) == (1, "MediaMissing")
        assert not target.exists()

    def test_json_needs_a_file_and_a_terminal_is_not_written_to(self, stored: str) -> None:
        told = run("media", "get", "1", "cover.png", "--json")
        code, shown = run_in_terminal("media", "get", "1", "cover.png")

        assert (told.code, told.document["error"]["type"], code) == (2, "UsageError", 2)
        assert "a cover" not in shown


class TestList:
    def test_people_get_a_line_each_and_json_every_fact(self, stored: str) -> None:
        with_store(stored, lambda store: store.media.put("1", "a\x1b[2J longer.txt", b"x" * 2_000))

        shown, told = run("media", "list", "1"), run("media", "list", "1", "--json")

        lines = [line.split("  ") for line in shown.out.splitlines()]
        assert [line[0] for line in lines] == ["a\\u001b[2J longer.txt", "cover.png"]
        assert lines[0][-1] == "text/plain"
        assert "2.0 kB" in shown.out
        assert [item["name"] for item in told.document["items"]] == ["a\x1b[2J longer.txt", "cover.png"]
        assert set(told.document["items"][0]) == {"name", "sha256", "size", "content_type", "created_at"}

    def test_parts_follow_one_another_and_none_is_said(self, stored: str) -> None:
        with_store(stored, lambda store: store.media.put("1", "z.png", b"z"))

        first = run("media", "list", "1", "--limit", "1", "--json").document["items"]
        rest = run("media", "list", "1", "--after", first[0]["name"], "--json").document["items"]

        assert [item["name"] for item in first + rest] == ["cover.png", "z.png"]
        assert run("media", "list", "nothing").out == "no files\n"
        assert run("media", "list", "1", "--limit", "0").code == 2


class TestDelete:
    def test_it_says_what_was_deleted_and_what_was_not_there(self, stored: str) -> None:
        shown = run("media", "delete", "1", "cover.png", "nothing", "--yes")

        assert (shown.code, shown.out) == (1, "deleted cover.png\n")
        assert shown.err == "workflow-store: there is no file nothing\n"
        assert _names(stored) == []
        assert run("media", "delete", "1", "x", "--yes", "--json").document == {"deleted": [], "missing": ["x"]}

    def test_it_asks_first(self, stored: str) -> None:
        refused = run_child("media", "delete", "1", "cover.png", stdin=b"y\n")
        declined, shown = run_in_terminal("media", "delete", "1", "cover.png", answer=b"n\n")

        assert (refused.code, declined) == (2, 1)
        assert "Delete 1 file of workflow 1?" in shown
        assert _names(stored) == ["cover.png"]
        assert run_in_terminal("media", "delete", "1", "cover.png", answer=b"yes\n")[0] == 0
        assert _names(stored) == []


class TestCollectGarbage:
    def test_what_nobody_links_to_goes_once_it_is_old_enough(self, stored: str, tmp_path: Path) -> None:
        run("media", "delete", "1", "cover.png", "--yes")

        young = run("media", "collect-garbage", "--json").document
        old = run("media", "collect-garbage", "--grace", "0").out

        assert (young["young"], young["collected"]) == (1, 0)
        assert ["deleted", "1"] in [line.split() for line in old.splitlines()]
        assert [path for path in (tmp_path / "media").glob("??/??/*") if path.is_file()] == []

    def test_the_files_of_another_database_are_not_taken(self, stored: str, tmp_path: Path) -> None:
        (tmp_path / "media" / "owners" / "another").write_bytes(b"")

        refused = run("media", "collect-garbage", "--grace", "0", "--json")
        alone = run("media", "collect-garbage", "--grace", "0", "--alone", "--json")

        assert (refused.code, refused.document["error"]["type"]) == (1, "MediaShared")
        assert (alone.code, alone.document["collected"]) == (0, 0)

    def test_a_grace_that_is_none_is_wrong_usage(self, stored: str) -> None:
        assert run("media", "collect-garbage", "--grace", "-1").code == 2
