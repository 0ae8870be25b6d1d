"""What can't be read is rejected with a reason, and what follows it is read all the same."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workflow_store.importers import Limits, read_path
from workflow_store.models import Rejected, Workflow

GOOD = b'{"nodes":[]}'


def nest(levels: int) -> bytes:
    return b'{"nodes":[],"v":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


BAD_LINES = [
    (b'{"nodes":[]} and more', "other text after the end of the JSON, at character 14"),
    (b'{"nodes":[]', "not JSON: Expecting ',' delimiter at character 12"),
    (b'{"nodes":[],}', "trailing comma"),
    (b'{"nodes" []}', "not JSON: Expecting ':' delimiter"),
    (b'{"no\\u0064es" []}', "not JSON: Expecting ':' delimiter"),
    (b"{nodes:[]}", "double quotes"),
    (b'{"nodes":}', "not JSON: Expecting value at character 10"),
    (b'{"nodes":["x}', "the text ends inside a string"),
    (b'{"nodes":["a\x00b"]}', "a raw control character"),
    (b'{"nodes":["a\\u0000b"]}', "NUL character (\\u0000) at $.nodes[0]"),
    (b'{"nodes":[],"a\\u0000":1}', "NUL character (\\u0000) at a key of $"),
    (b'{"nodes":["\\ud83d"]}', "lone surrogate (half a character) at $.nodes[0]"),
    (b'{"nodes":["\\ude42\\ud83d"]}', "lone surrogate"),
    (b'{"nodes":["\\\\\\ud800"]}', "lone surrogate"),
    (b'{"nodes":["\xed\xa0\x80"]}', "not UTF-8 at byte 11"),
    (b'\xef\xbb\xbf{"nodes":["\xff"]}', "not UTF-8 at byte 14"),
    (b'{"nodes":[NaN]}', "NaN is not JSON"),
    (b'{"nodes":[-Infinity]}', "-Infinity is not JSON"),
    (b'{"nodes":[1e131073]}', "beyond what PostgreSQL holds"),
    (b'{"nodes":[' + b"9" * 140_000 + b"]}", "an integer of 140,000 digits"),
    (nest(513), "nested deeper than 512 levels"),
    (nest(100_000), "nested deeper than this process can read"),
    (b"[]x", "other text after the end"),
    (b"[1 2]", "Expecting ',' delimiter"),
    (b"[1,]", "trailing comma"),
    (b'[{"nodes":[]}', "Expecting ',' delimiter"),
    (b"5", "an n8n workflow is an object, this is 5"),
    (b'"text"', 'an n8n workflow is an object, this is "text"'),
    (b"null", "an n8n workflow is an object, this is null"),
    (b"{}", "no n8n workflow: an empty object"),
    (b'{"file":1,"size":2}', "no n8n workflow: an object without nodes, with file, size"),
    (b'{"nodes":{"a":1}}', 'no n8n workflow: its nodes are no list but {"a":1}'),
    (b'{"nodes":null,"connections":{}}', "its nodes are no list but null"),
    (b'{"source":"s","workflow":{"name":"x"}}', "an object without nodes, with name"),
    (b'{"source":"s","workflow":[1]}', "an object without nodes, with source, workflow"),
    (b'{"source":["s"],"workflow":{"nodes":[]}}', 'source: text is expected, not ["s"]'),
    (b'{"source":"' + b"s" * 1_100 + b'","workflow":{"nodes":[]}}', "1 to 1,024 bytes of UTF-8"),
    (b'{"id":7,"name":"n","workflow":{"name":"x"}}', "template 7 comes without a list of nodes"),
    (b'{"id":[],"name":"n","totalViews":1}', "a template-API answer without an id"),
    (b'{"source":"s","endpoint":"search","record":{"x":1}}', "without nodes, with source, endpoint, record"),
    (b'{"workflow_id":"1","url":"u","colour":"red"}', "colour"),
    (b'{"workflow_id":"1","url":"u","metadata":5}', "metadata"),
    (b'{"workflow_id":null,"url":"u","layers":{}}', "workflow_id"),
    (b'{"workflow_id":"1","url":5,"layers":{}}', "url"),
]


@pytest.mark.parametrize(("line", "reason"), BAD_LINES)
def test_a_bad_line_is_rejected_and_the_next_is_read(tmp_path: Path, line: bytes, reason: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD + b"\n" + line + b"\n" + GOOD)

    first, bad, last = read_path(path)

    assert isinstance(first, Workflow)
    assert isinstance(bad, Rejected)
    assert isinstance(last, Workflow)
    assert reason in bad.reason
    assert bad.source == f"{path}:2"
    assert bad.raw == line
    assert bad.position is None


@pytest.mark.parametrize(("line", "reason"), BAD_LINES)
def test_a_bad_file_is_rejected_and_the_next_is_read(tmp_path: Path, line: bytes, reason: str) -> None:
    (tmp_path / "a.json").write_bytes(line)
    (tmp_path / "b.json").write_bytes(GOOD)

    *bad, last = read_path(tmp_path)

    assert isinstance(last, Workflow)
    assert [type(record) for record in bad] == [Rejected]
    assert isinstance(bad[0], Rejected)
    assert reason in bad[0].reason
    assert bad[0].source == str(tmp_path / "a.json")


def only(path: Path, **options: Any) -> Rejected:
    (record,) = read_path(path, **options)
    assert isinstance(record, Rejected)
    return record


@pytest.mark.parametrize("data", [b"", b"\n \r\n", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)])
def test_an_empty_file_is_rejected(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(data)

    assert only(path) == Rejected(str(path), "an empty file")


def test_text_after_a_document_is_told_by_line(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{\n"nodes": []\n}Parse PDF')

    assert only(path).reason == "other text after the end of the JSON, at line 3, column 2"


def test_a_document_followed_by_what_is_no_line_is_one_document(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"nodes": []}\nParse PDF')
    broken = tmp_path / "b.json"
    broken.write_text('{"nodes": [],\n{"x": 1}}')

    assert only(path).reason == "other text after the end of the JSON, at line 2, column 1"
    assert "double quotes" in only(broken).reason


def test_utf_16_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes('{"nodes":[]}'.encode("utf-16"))

    assert only(path).reason == "not UTF-8 at byte 0 (it looks like UTF-16)"


def test_a_bad_element_of_a_list_is_rejected_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'[{"nodes":[]}, {"x": 1}, {"nodes":[]}]')

    first, bad, last = read_path(path)

    assert (isinstance(first, Workflow), isinstance(last, Workflow)) == (True, True)
    assert isinstance(bad, Rejected)
    assert (bad.source, bad.raw) == (f"{path}[1]", b'{"x": 1}')


def test_the_id_of_a_rejected_record_is_told_where_it_is_known(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"workflow_id":"9","url":""}\n')

    assert only(path).workflow_id == "9"


def test_depth_is_that_of_the_stored_document(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"source":"s","workflow":' + nest(512) + b"}\n")
    shallow = Limits(max_depth=511)

    assert [type(record) for record in read_path(path)] == [Workflow]
    assert only(path, limits=shallow).reason == "nested deeper than 511 levels"


def test_many_brackets_side_by_side_are_not_deep(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'{"nodes":[' + b",".join([b"[]"] * 2_000) + b"]}")

    assert [type(record) for record in read_path(path)] == [Workflow]


@pytest.mark.parametrize(
    "line",
    [
        b'{"nodes":["' + b"x" * 200 + b'"]}',
        b'{"workflow_id":"1","url":"u","structure":{"workflow_json":{"v":"' + b"x" * 200 + b'"}}}',
        b'{"workflow_id":"1","url":"u","layers":{"layer1":{"success":true,"v":"' + b"x" * 200 + b'"}}}',
        b'{"id":7,"name":"n","totalViews":1,"v":"' + b"x" * 200 + b'"}',
    ],
)
def test_a_document_above_the_limit_is_rejected(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(line + b"\n")

    assert "at most 100 are allowed" in only(path, limits=Limits(max_document_bytes=100)).reason


@pytest.mark.parametrize("length", [101, 102, 3_000_000])
def test_a_line_above_the_limit_is_skipped_without_being_held(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"x" * length + b"\n" + GOOD + b"\n" + b"y" * length)

    first, second, third = read_path(path, limits=Limits(max_line_bytes=100))

    assert isinstance(first, Rejected)
    assert first.source == f"{path}:1"
    assert first.reason == f"a line of {length:,} bytes; at most 100 bytes are read"
    assert 0 < len(first.raw) <= 65_536
    assert isinstance(second, Workflow)
    assert isinstance(third, Rejected)
    assert third.reason == first.reason


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_line_at_the_limit_is_read(tmp_path: Path, end: bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD.ljust(100) + end)

    assert [type(record) for record in read_path(path, limits=Limits(max_line_bytes=100))] == [Workflow]


@pytest.mark.parametrize("text", [json.dumps({"nodes": ["x" * 40]}, indent=1), '{"nodes": ["' + "x" * 60 + '"]}'])
def test_a_file_above_the_limit_is_rejected_unread(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)

    assert only(path, limits=Limits(max_line_bytes=50)).reason == "a document; at most 50 bytes are read"


def test_a_truncated_gzip_gives_what_was_whole(tmp_path: Path) -> None:
    data = gzip.compress(b"".join(b'{"nodes":[],"v":"%s"}\n' % os.urandom(500).hex().encode() for _ in range(200)))
    (tmp_path / "a.jsonl.gz").write_bytes(data[: len(data) // 2])
    (tmp_path / "b.json").write_bytes(GOOD)

    *before, cut, last = read_path(tmp_path)

    assert len(before) > 10
    assert all(isinstance(record, Workflow) for record in before)
    assert isinstance(cut, Rejected)
    assert cut.reason == f"the compressed file ends too early after line {len(before)}"
    assert isinstance(last, Workflow)


@pytest.mark.parametrize(
    "data", [b"\x1f\x8b", b"\x1f\x8bnot gzip at all", gzip.compress(GOOD, mtime=0)[:12] + b"\xff" * 20]
)
def test_damaged_gzip_is_rejected(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.json.gz"
    path.write_bytes(data)

    assert only(path).reason.startswith(("the file can't be read: ", "the compressed file ends too early"))


def test_what_is_no_file_is_rejected(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    (tmp_path / "b.json").symlink_to(tmp_path / "absent")
    (tmp_path / "c.json").symlink_to(tmp_path / "c.json")

    reasons = [record.reason for record in read_path(tmp_path) if isinstance(record, Rejected)]

    assert reasons == ["not a regular file", "a link that leads nowhere", "a link that leads nowhere"]


def test_a_file_that_goes_away_before_it_is_read_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(GOOD)
    records = read_path(path)
    path.unlink()

    (record,) = records

    assert isinstance(record, Rejected)
    assert record.reason == "the file can't be read: No such file or directory"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike those of pytest; as root the test runs as nobody."""
    was_root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        if was_root:
            os.seteuid(0)
        for path in folder.iterdir():
            path.chmod(0o700)


def test_what_may_not_be_read_is_rejected(open_folder: Path) -> None:
    (open_folder / "a").mkdir(mode=0o000)
    (open_folder / "b.json").touch(mode=0o000)
    (open_folder / "c.json").write_bytes(GOOD)
    if os.geteuid() == 0:
        os.seteuid(65_534)

    *refused, last = read_path(open_folder)

    assert [record.reason for record in refused if isinstance(record, Rejected)] == [
        "the folder can't be read: Permission denied",
        "the file can't be read: Permission denied",
    ]
    assert isinstance(last, Workflow)
