"""``enqueue`` and ``pending``: the queue from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import run, run_child, with_store


def _ids() -> list[str]:
    return [item["workflow_id"] for item in run("pending", "--json").document["items"]]


def test_pairs_are_queued_once(dsn: str) -> None:
    first = run("enqueue", "1", "https://n8n.io/1", "2", "https://n8n.io/2")
    again = run("enqueue", "1", "https://n8n.io/1", "3", "https://n8n.io/3", "--json")

    assert (first.code, first.out) == (0, "2 of 2 workflows added to the queue\n")
    assert again.document == {"given": 2, "added": 1}
    assert _ids() == ["1", "2", "3"]


def test_lines_of_a_file_and_of_a_pipe_are_queued(dsn: str, tmp_path: Path) -> None:
    (tmp_path / "ids.tsv").write_text("an id\thttps://n8n.io/1\r\n\nmy path/a b.json  https://n8n.io/2", "utf-8")

    filed = run("enqueue", "--from", str(tmp_path / "ids.tsv"), "3", "https://n8n.io/3")
    piped = run_child("enqueue", "--from", "-", "--json", stdin="агент https://n8n.io/4\n".encode())

    assert filed.out == "3 of 3 workflows added to the queue\n"
    assert piped.document == {"given": 1, "added": 1}
    assert sorted(_ids()) == ["3", "an id", "my path/a b.json", "агент"]


def test_an_empty_file_queues_nothing(dsn: str) -> None:
    ran = run_child("enqueue", "--from", "-", "--json")

    assert (ran.code, ran.document) == (0, {"given": 0, "added": 0})


def test_what_is_due_later_is_not_pending(dsn: str) -> None:
    run("enqueue", "1", "https://n8n.io/1", "--due-at", "2999-01-01")
    run("enqueue", "2", "https://n8n.io/2", "--due-at", "2020-01-01T02:00:00+02:00")

    (item,) = run("pending", "--json").document["items"]

    assert item == {
        "workflow_id": "2",
        "url": "https://n8n.io/2",
        "due_at": "2020-01-01T00:00:00+00:00",
        "retry_count": 0,
    }


def test_people_get_a_line_each_with_whole_ids(dsn: str) -> None:
    with_store(dsn, lambda store: store.mark_failed("2", "timed out", url="https://n8n.io/2"))
    run("enqueue", "a\x1b[2Jb", "https://n8n.io/1", "2", "https://n8n.io/2", "--due-at", "2020-01-01")

    head, *lines = run("pending").out.splitlines()

    assert head.split() == ["id", "due", "(UTC)", "failed", "url"]
    assert [line.split() for line in lines] == [
        ["2", "2020-01-01", "00:00", "1", "https://n8n.io/2"],
        ["a\\u001b[2Jb", "2020-01-01", "00:00", "0", "https://n8n.io/1"],
    ]


def test_an_empty_queue_says_so(dsn: str) -> None:
    assert run("pending").out == "nothing is due\n"
    assert run("pending", "--json").document == {"items": []}


@pytest.mark.parametrize(
    "arguments",
    [
        ["enqueue"],
        ["enqueue", "1"],
        ["enqueue", "1", "u", "2"],
        ["enqueue", "1", "u", "--due-at", "soon"],
        ["enqueue", "--from", "/no/such/file"],
        ["pending", "--limit", "0"],
        ["pending", "1"],
    ],
)
def test_what_can_not_be_read_is_wrong_usage(dsn: str, arguments: list[str]) -> None:
    ran = run(*arguments)

    assert (ran.code, ran.out) == (2, "")


@pytest.mark.parametrize("line", [b"alone", b"a\tb\tc", b"\xff https://n8n.io/1"])
def test_a_line_that_is_no_pair_is_told_with_its_number_and_nothing_is_queued(dsn: str, line: bytes) -> None:
    ran = run_child("enqueue", "--from", "-", stdin=b"1 https://n8n.io/1\n" + line)

    assert (ran.code, ran.out) == (2, "")
    assert "-:2: " in ran.err
    assert _ids() == []


def test_an_id_that_can_not_be_stored_is_told_with_its_place(dsn: str) -> None:
    ran = run("enqueue", "1", "https://n8n.io/1", "", "https://n8n.io/2", "--json")

    assert (ran.code, ran.document["error"]["type"]) == (1, "InvalidRecord")
    assert ran.document["error"]["message"].startswith("ids_and_urls.1.workflow_id")
