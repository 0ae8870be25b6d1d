"""``quarantine``: records that could not be stored, from the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.commands import run, run_child, run_in_terminal, seen, with_store
from workflow_store import Rejected

NODES = '{"nodes": [], "connections": {}}'


def put_aside(dsn: str, *rejected: Rejected) -> None:
    with_store(dsn, lambda store: store.ingest(rejected))


def items() -> list[dict[str, object]]:
    found: list[dict[str, object]] = run("quarantine", "list", "--json").document["items"]
    return found


def id_of(source: str) -> str:
    (item,) = [item for item in items() if item["source"] == source]
    return str(item["id"])


def test_an_empty_quarantine_says_so(dsn: str) -> None:
    assert run("quarantine", "list").out == "nothing is in quarantine\n"
    assert run("quarantine", "list", "--json").document == {"items": [], "next": None}


def test_people_get_the_source_and_the_reason_and_programs_everything_but_the_bytes(dsn: str) -> None:
    put_aside(dsn, Rejected(source="exports/a.jsonl:7", reason="not JSON", raw=b"{", workflow_id="7"))

    head, first, second = run("quarantine", "list").out.splitlines()
    (item,) = items()

    assert head.split() == ["id", "last", "seen", "(UTC)", "times", "size", "source"]
    assert re.fullmatch(r"[0-9a-f]{12}  \d{4}-\d\d-\d\d \d\d:\d\d      1       1 B  exports/a.jsonl:7", first)
    assert second == "    not JSON"
    assert item.pop("first_seen_at") == item.pop("last_seen_at")
    assert first.startswith(str(item.pop("id"))[:12])
    assert item == {
        "source": "exports/a.jsonl:7",
        "reason": "not JSON",
        "position": 0,
        "workflow_id": "7",
        "length": 1,
        "kept": 1,
        "times_seen": 1,
        "relative": None,
        "id_from": None,
    }


def test_pages_follow_each_other(dsn: str) -> None:
    put_aside(dsn, *(Rejected(source=f"a:{n}", reason="?", raw=b"%d" % n) for n in range(5)))

    first = run("quarantine", "list", "--limit", "3", "--source", "a:")
    (cursor,) = re.findall(r"--after (\S+)", first.err)
    second = run("quarantine", "list", "--limit", "3", "--source", "a:", "--after", cursor)

    assert (len(first.out.splitlines()), len(second.out.splitlines()), second.err) == (7, 5, "")


def test_hostile_text_never_reaches_a_terminal(dsn: str) -> None:
    bomb = "\x1b]0;owned\x07\x1b[2J\u202e\x9b1mtext"
    put_aside(dsn, Rejected(source=f"s{bomb}", reason=f"r{bomb}", raw=f"b{bomb}\r".encode(), workflow_id=f"w{bomb}"))
    (item,) = items()
    id_ = str(item["id"])

    for arguments in (["list"], ["show", id_], ["retry"], ["list", "--json"], ["show", id_, "--json"]):
        _, shown = run_in_terminal("quarantine", *arguments, columns=200)
        left = "\n".join(seen(shown))
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", left), arguments
        assert "\x1b]" not in shown
        assert "\x1b[2J" not in shown


def test_one_record_is_shown_with_the_beginning_of_its_bytes(dsn: str) -> None:
    put_aside(dsn, Rejected(source="s", reason="not JSON", raw=b'{"a": ' + b"x" * 5_000))
    id_ = id_of("s")

    ran = run("quarantine", "show", id_[:8])
    document = run("quarantine", "show", id_, "--json").document

    assert ran.code == 0
    assert "reason      not JSON" in ran.out.splitlines()
    assert '{"a": xxx' in ran.out
    assert len(ran.out) < 3_000
    assert document["text"] == '{"a": ' + "x" * 5_000
    assert document["id"] == id_


def test_the_very_bytes_are_written(dsn: str, tmp_path: Path) -> None:
    raw = bytes(range(256))
    put_aside(dsn, Rejected(source="s", reason="?", raw=raw))
    id_ = id_of("s")

    ran = run("quarantine", "show", id_, "--raw", "-o", str(tmp_path / "bytes"))

    assert (ran.code, ran.out) == (0, "")
    assert (tmp_path / "bytes").read_bytes() == raw
    assert run("quarantine", "show", id_, "--json").document["hex"] == raw.hex()
    code, shown = run_in_terminal("quarantine", "show", id_, "--raw")
    assert (code, "name a file with --output" in shown.replace("\n", " ")) == (2, True)
    put_aside(dsn, Rejected(source="t", reason="?", raw=b"{plain"))
    assert run_child("quarantine", "show", id_of("t"), "--raw").out == "{plain"


def test_a_retry_stores_what_the_settings_allow_now(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jsonl").write_text(f'{{"name": "a\\u0000b", {NODES[1:]}\n{NODES}\nnone\n', "utf-8")
    assert run("ingest", str(tmp_path / "a.jsonl")).code == 1

    early = run("quarantine", "retry", "--json")
    monkeypatch.setenv("WORKFLOW_STORE_NUL", "strip")
    late = run("quarantine", "retry")

    assert early.code == late.code == 1
    assert (early.document["inserted"], early.document["rejected"]) == (0, 2)
    assert re.search(r"inserted +1\n", late.out)
    assert re.search(r"stay in quarantine +1\n", late.out)
    assert re.search(r"cleaned +1\n", late.out)
    assert run("get", "a.jsonl:1", "--json").document["metadata"]["title"] == "ab"
    assert [item["source"] for item in items()] == [f"{tmp_path / 'a.jsonl'}:3"]


def test_only_what_is_named_is_retried(dsn: str) -> None:
    good = b'{"workflow_id": "%d", "url": "u"}'
    put_aside(dsn, *(Rejected(source=f"{n}", reason="?", raw=good % n) for n in range(3)))

    by_id = run("quarantine", "retry", id_of("0")[:8], "00000000", "--json")
    by_source = run("quarantine", "retry", "--source", "1")

    assert (by_id.code, by_id.document["inserted"], by_id.document["missing"]) == (1, 1, ["00000000"])
    assert by_source.code == 0
    assert [item["source"] for item in items()] == ["2"]


def test_an_ingest_strips_and_says_so(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_text('{"name": "a\\u0000b", "nodes": ["\\ud800"]}', "utf-8")
    monkeypatch.setenv("WORKFLOW_STORE_NUL", "replace")

    ran = run("ingest", str(tmp_path / "a.json"), "--json")

    assert (ran.code, ran.document["cleaned"]) == (0, 1)
    assert ran.document["notices"] == [
        "a.json: metadata.title: a NUL or half character replaced by U+FFFD",
        "a.json: structure.workflow_json: 2 NUL or half characters replaced by U+FFFD",
    ]


def test_records_are_purged_after_a_question(dsn: str) -> None:
    put_aside(dsn, *(Rejected(source=f"{n}", reason="?", raw=b"%d" % n) for n in range(5)))

    refused = run("quarantine", "purge", "--everything")
    declined, _ = run_in_terminal("quarantine", "purge", "--everything", answer=b"n\n")
    assert (refused.code, declined, len(items())) == (2, 1, 5)

    named = run("quarantine", "purge", id_of("0"), "00000000", "--yes", "--json")
    assert (named.code, named.document) == (1, {"deleted": 1, "missing": ["00000000"]})
    assert run("quarantine", "purge", "--older-than", "30d", "--yes").out == "0 records deleted\n"
    assert run("quarantine", "purge", "--source", "1", "--yes").out == "1 record deleted\n"
    accepted, shown = run_in_terminal("quarantine", "purge", "--everything", answer=b"y\n")
    assert (accepted, "3 records deleted" in shown) == (0, True)
    assert items() == []


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (2, ["purge", "--yes"]),
        (2, ["purge", "00000000", "--everything", "--yes"]),
        (2, ["purge", "--everything", "--source", "x", "--yes"]),
        (2, ["purge", "--older-than", "soon", "--yes"]),
        (2, ["show", "0"]),
        (2, ["show", "zzzzzzzz"]),
        (2, ["show", "00000000", "--raw", "--json"]),
        (2, ["show", "00000000", "-o", "file"]),
        (2, ["list", "--limit", "0"]),
        (2, ["list", "--after", "x"]),
        (2, ["retry", "00000000", "--source", "x"]),
        (1, ["show", "00000000"]),
        (1, ["show", "00000000", "--raw"]),
        (1, ["retry", "00000000"]),
        (1, ["purge", "00000000", "--yes"]),
    ],
)
def test_how_it_ends(dsn: str, code: int, arguments: list[str]) -> None:
    assert run("quarantine", *arguments).code == code
