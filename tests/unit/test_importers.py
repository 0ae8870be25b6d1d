"""Every shape that is read gives the workflow it should, under the id it should have."""

from __future__ import annotations

import gzip
import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from workflow_store.errors import InvalidField
from workflow_store.importers import IdFrom, Limits, read_path, read_paths
from workflow_store.models import Content, Json, Metadata, Rejected, Structure, Transcript, Workflow

BODY: dict[str, Any] = {
    "id": "own",
    "name": "Title",
    "meta": {"templateId": "2305"},
    "tags": ["a", {"id": 1, "name": "b"}],
    "description": "Says",
    "createdAt": "2025-01-01T00:00:00.000Z",
    "updatedAt": "soon",
    "nodes": [{"name": "x", "type": "t.b"}, {"name": "y", "type": "t.a"}],
    "connections": {"x": {"main": [[{"node": "y", "type": "main", "index": 0}]]}},
}
PLAIN: dict[str, Any] = {"nodes": [], "connections": {}}
SEARCH: dict[str, Any] = {
    "id": 7,
    "name": "Found",
    "totalViews": 3_000_000_000,
    "user": {"name": "Ada", "username": "ada"},
    "description": "Described",
    "createdAt": "2025-01-01T00:00:00.000Z",
    "categories": [{"id": 1, "name": "AI"}],
    "nodes": [{"name": "n8n-nodes-base.set"}],
}
DETAIL: dict[str, Any] = {
    "id": 7,
    "name": "Detail",
    "totalViews": 5,
    "lastFetched": "2025-02-01T00:00:00Z",
    "workflow": BODY,
}


def write(path: Path, *values: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join(value if isinstance(value, str) else json.dumps(value) for value in values)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def workflows(path: Path, **options: Any) -> list[Workflow]:
    records = list(read_path(path, **options))
    assert [record.reason for record in records if isinstance(record, Rejected)] == []
    return [record for record in records if isinstance(record, Workflow)]


def one(path: Path, **options: Any) -> Workflow:
    (workflow,) = workflows(path, **options)
    return workflow


def body_of(workflow: Workflow) -> Any:
    assert workflow.structure is not None
    assert workflow.structure.workflow_json is not None
    return workflow.structure.workflow_json.value


def ids(path: Path, **options: Any) -> list[str]:
    return [workflow.workflow_id for workflow in workflows(path, **options)]


def test_a_workflow_fills_its_columns(tmp_path: Path) -> None:
    workflow = one(write(tmp_path / "a.json", BODY))

    assert (workflow.workflow_id, workflow.url) == ("a.json", "https://n8n.io/workflows/2305")
    assert workflow.metadata == Metadata(
        title="Title", description="Says", tags=("a", "b"), workflow_created_at=datetime(2025, 1, 1, tzinfo=UTC)
    )
    assert workflow.structure is not None
    assert workflow.structure == Structure(
        node_count=2,
        connection_count=1,
        node_types=("t.a", "t.b"),
        extraction_type="full",
        workflow_json=workflow.structure.workflow_json,
    )
    assert body_of(workflow) == BODY
    assert workflow.notices == ('workflow.updatedAt: "soon" is not a date',)
    assert (workflow.content, workflow.transcripts) == (None, None)


def test_a_workflow_without_a_name_has_no_metadata(tmp_path: Path) -> None:
    workflow = one(write(tmp_path / "a.json", PLAIN))

    assert workflow.metadata is None
    assert (workflow.layer1_success, workflow.layer2_success) == (False, True)
    assert workflow.url == "a.json"


def test_nodes_without_connections_are_a_workflow(tmp_path: Path) -> None:
    workflow = one(write(tmp_path / "a.json", {"nodes": [{"type": 5}, None]}))

    assert workflow.structure is not None
    assert (workflow.structure.node_count, workflow.structure.connection_count) == (2, None)
    assert workflow.structure.node_types == ()


@pytest.mark.parametrize(
    "text", ['{"nodes":[ ], "x": 1.0e2}', '{ "nodes": [{"v": 1e400, "n": 123456789012345678901234567890}] }']
)
@pytest.mark.parametrize(
    "line",
    ["{}", '{{"source": "s", "workflow": {}}}', '{{"workflow_id":"1","url":"u","structure":{{"workflow_json":{}}}}}'],
)
def test_a_workflow_keeps_the_bytes_it_was_written_as(tmp_path: Path, text: str, line: str) -> None:
    path = write(tmp_path / "a.jsonl", text if line == "{}" else line.format(text))

    workflow = one(path)

    assert workflow.structure is not None
    assert workflow.structure.workflow_json is not None
    assert workflow.structure.workflow_json.raw == text.encode()


@pytest.mark.parametrize(
    "number", ["1180591620717411303424", "0.1234567890123456789", "1e400", "-0.0", "5" * 5_000, "1.5E-7"]
)
def test_numbers_keep_every_digit(tmp_path: Path, number: str) -> None:
    text = f'{{"nodes":[],"v":{number}}}'

    assert one(write(tmp_path / "a.json", text)).structure == Structure(
        node_count=0, node_types=(), extraction_type="full", workflow_json=Json.parse(text)
    )


@pytest.mark.parametrize(
    "text",
    [
        '{"nodes": [], "": {"": 1}, "v": "\u2028\u200f🙂"}',
        '{"nodes": [], "emoji": "\\ud83d\\ude42", "path": "C:\\\\ud800\\\\u0000", "q\\"k": 1}',
        '\ufeff{"nodes": []}',
        '\r\n\r\n  {\r\n"nodes"\r\n:\r\n[]\r\n}\r\n\r\n',
    ],
)
def test_odd_but_valid_text_is_read(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "a.json", text)

    assert body_of(one(path)) == json.loads(text.removeprefix("\ufeff"))


def test_lines_are_read_from_plain_and_compressed_files(tmp_path: Path) -> None:
    values = [{"source": "one", "workflow": BODY}, "", {"source": "two", "workflow": PLAIN}, PLAIN]
    expected = ["one", "two", "name.jsonl:4"]

    assert ids(write(tmp_path / "name.jsonl", *values)) == expected
    assert ids(write(tmp_path / "name.jsonl.gz", *values)) == ["one", "two", "name.jsonl.gz:4"]
    assert ids(write(tmp_path / "export.gz", *values)) == ["one", "two", "export.gz:4"]
    assert ids(write(tmp_path / "noname", *values)) == ["one", "two", "noname:4"]


def test_gzip_is_told_from_content_not_from_the_name(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(gzip.compress(json.dumps(PLAIN).encode()))

    assert body_of(one(path)) == PLAIN


@pytest.mark.parametrize("indent", [None, 2])
def test_a_document_named_as_lines_is_read_as_a_document(tmp_path: Path, indent: int | None) -> None:
    assert body_of(one(write(tmp_path / "a.jsonl", json.dumps(BODY, indent=indent)))) == BODY


def test_lines_named_as_a_document_are_read_as_lines(tmp_path: Path) -> None:
    assert ids(write(tmp_path / "a.json", PLAIN, PLAIN)) == ["a.json:1", "a.json:2"]


def test_a_pipe_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(gzip.compress(json.dumps(BODY, indent=1).encode())))
    writer.start()

    workflow = one(pipe)

    writer.join()
    assert body_of(workflow) == BODY


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([PLAIN, BODY], ["a.json[0]", "a.json[1]"]),
        ({"data": [PLAIN], "nextCursor": None}, ["a.json[0]"]),
        ({"totalWorkflows": 2, "workflows": [SEARCH, SEARCH | {"id": "8"}]}, ["7", "8"]),
        ({"workflows": []}, []),
        ([[PLAIN]], ["a.json[0][0]"]),
        ({"workflow": PLAIN}, ["a.json"]),
    ],
)
def test_lists_of_records_are_read(tmp_path: Path, value: Any, expected: list[str]) -> None:
    if value == [[PLAIN]]:
        (record,) = read_path(write(tmp_path / "a.json", value))
        assert isinstance(record, Rejected)
        assert record.source.endswith("a.json[0]")
        return

    assert ids(write(tmp_path / "a.json", value)) == expected


def test_what_lies_beside_a_workflow_is_kept(tmp_path: Path) -> None:
    workflow = one(write(tmp_path / "a.jsonl", {"source": "s", "workflow": PLAIN, "stars": 5}))

    assert workflow.metadata is not None
    assert workflow.metadata.raw_metadata == Json({"source": "s", "stars": 5})


@pytest.mark.parametrize(
    ("id_from", "line", "document"),
    [
        ("auto", "s", "a.json"),
        ("template", "2305", "2305"),
        ("source", "s", "a.json"),
        ("path", "a.jsonl:1", "a.json"),
        ("workflow", "own", "own"),
    ],
)
def test_the_id_comes_from_where_it_was_asked_for(tmp_path: Path, id_from: IdFrom, line: str, document: str) -> None:
    lines = write(tmp_path / "a.jsonl", {"source": "s", "workflow": BODY})
    single = write(tmp_path / "a.json", BODY)

    assert ids(lines, id_from=id_from) == [line]
    assert ids(single, id_from=id_from) == [document]


@pytest.mark.parametrize(
    "meta", [None, {"templateId": "self-building"}, {"templateId": True}, {"templateId": " "}, "x"]
)
def test_an_id_that_is_absent_falls_back(tmp_path: Path, meta: Any) -> None:
    path = write(tmp_path / "a.jsonl", {"source": "s", "workflow": {**PLAIN, "meta": meta, "id": None}})

    assert ids(path, id_from="template") == ["s"]
    assert ids(path, id_from="workflow") == ["s"]
    assert one(path).url == "s"


def test_ids_that_are_numbers_become_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", {**PLAIN, "id": 12, "meta": {"templateId": 99}})

    assert ids(path, id_from="workflow") == ["12"]
    assert ids(path, id_from="template") == ["99"]


def test_copies_of_a_template_are_workflows_of_their_own(tmp_path: Path) -> None:
    write(tmp_path / "a.json", BODY)
    write(tmp_path / "b.json", BODY)

    assert ids(tmp_path) == ["a.json", "b.json"]


def test_a_search_item_has_metadata_alone(tmp_path: Path) -> None:
    workflow = one(write(tmp_path / "a.json", SEARCH))

    assert (workflow.workflow_id, workflow.url) == ("7", "https://n8n.io/workflows/7")
    assert workflow.structure is None
    assert workflow.metadata == Metadata(
        title="Found",
        description="Described",
        author_name="Ada",
        author_url="https://n8n.io/creators/ada",
        views=3_000_000_000,
        categories=("AI",),
        workflow_created_at=datetime(2025, 1, 1, tzinfo=UTC),
        raw_metadata=Json(SEARCH),
    )


@pytest.mark.parametrize(
    "value",
    [DETAIL, {"workflow": DETAIL}, {"source": "s", "endpoint": "detail", "record": DETAIL}],
)
def test_a_detail_has_structure_and_what_came_with_it(tmp_path: Path, value: Any) -> None:
    workflow = one(write(tmp_path / "a.json", value))

    assert workflow.workflow_id == "7"
    assert body_of(workflow) == BODY
    assert workflow.structure is not None
    assert workflow.structure.extracted_at == datetime(2025, 2, 1, tzinfo=UTC)
    assert workflow.metadata is not None
    assert (workflow.metadata.title, workflow.metadata.views, workflow.metadata.tags) == ("Detail", 5, ("a", "b"))
    kept = {key: member for key, member in DETAIL.items() if key != "workflow"}
    assert workflow.metadata.raw_metadata == Json(kept)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("apart", [True, False])
def test_search_and_detail_are_joined_whichever_comes_first(tmp_path: Path, order: int, apart: bool) -> None:
    lines = [
        {"source": "s", "endpoint": "search", "record": SEARCH},
        {"source": "s", "endpoint": "detail", "record": DETAIL},
    ]
    for index, line in enumerate(lines[::order]):
        write(tmp_path / f"{index}.jsonl", line)
    if not apart:
        write(tmp_path / "0.jsonl", *lines[::order])
        (tmp_path / "1.jsonl").unlink()

    workflow = one(tmp_path)

    assert workflow.metadata is not None
    assert (workflow.metadata.title, workflow.metadata.views) == ("Found", 3_000_000_000)
    assert workflow.metadata.tags == ("a", "b")
    assert workflow.metadata.raw_metadata == Json(SEARCH)
    assert body_of(workflow) == BODY
    assert (workflow.layer1_success, workflow.layer2_success) == (True, True)


def test_answers_that_come_again_replace_the_waiting_one_and_complete_the_given_one(tmp_path: Path) -> None:
    newer = SEARCH | {"totalViews": 9}
    path = write(tmp_path / "a.jsonl", SEARCH, newer, DETAIL, DETAIL, SEARCH)

    joined, structure, metadata = workflows(path)

    assert joined.metadata is not None
    assert joined.metadata.views == 9
    assert (structure.metadata, body_of(structure)) == (None, BODY)
    assert metadata.structure is None


def test_held_answers_are_given_out_alone_above_the_limit(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", SEARCH, SEARCH | {"id": 8}, DETAIL)

    first, second, third = workflows(path, limits=Limits(max_held_bytes=len(json.dumps(SEARCH))))

    assert (first.workflow_id, first.structure) == ("7", None)
    assert (second.workflow_id, second.metadata) == ("7", None)
    assert body_of(second) == BODY
    assert third.workflow_id == "8"


def test_template_answers_keyed_by_path_are_not_joined(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", SEARCH, DETAIL)

    assert ids(path, id_from="path") == ["a.jsonl:1", "a.jsonl:2"]
    assert ids(path, id_from="source") == ["7"]


def test_a_search_item_that_says_it_has_no_workflow_is_a_search_item(tmp_path: Path) -> None:
    assert one(write(tmp_path / "a.json", SEARCH | {"workflow": None})).structure is None


def test_an_extraction_result_is_read(tmp_path: Path) -> None:
    result = {
        "workflow_id": 2462,
        "url": "https://n8n.io/workflows/2462",
        "layers": {
            "layer1": {"success": True, "title": "T", "created_at": "last week"},
            "layer2": {"success": True, "data": PLAIN},
            "layer3": {"success": True, "explainer_text": "E"},
        },
    }

    workflow = one(write(tmp_path / "a.jsonl", result))

    assert workflow.workflow_id == "2462"
    assert workflow.metadata is not None
    assert workflow.metadata.title == "T"
    assert body_of(workflow) == PLAIN
    assert workflow.content is not None
    assert workflow.notices == ('layer1.created_at: "last week" is not a date',)


def test_a_crashed_extraction_is_read(tmp_path: Path) -> None:
    result = {"workflow_id": "1", "url": "u", "layers": {"layer1": None}, "errors": ["boom"]}

    assert one(write(tmp_path / "a.jsonl", result)).error_message == "boom"


def test_what_export_writes_is_read_back_equal(tmp_path: Path) -> None:
    workflow = Workflow.from_extraction_result(
        "1",
        "u",
        {
            "layers": {
                "layer1": {"success": True, "title": "T", "big": 2**70},
                "layer2": {"success": True, "data": BODY},
                "layer3": {"success": True, "videos": [{"url": "v", "transcript": {"text": "x", "segments": [0.1]}}]},
            }
        },
    )

    assert one(write(tmp_path / "a.jsonl", str(workflow.to_json()))) == workflow


@pytest.mark.parametrize("text", ["null", "5", "[1.50]", '{"a":1e2}', '"x"'])
def test_every_json_column_of_an_export_keeps_its_bytes(tmp_path: Path, text: str) -> None:
    workflow = Workflow(
        workflow_id="1",
        url="u",
        metadata=Metadata(raw_metadata=Json.parse(text)),
        structure=Structure(workflow_json=Json.parse(text)),
        content=Content(raw_content=Json.parse(text)),
        transcripts=(Transcript(video_url="v", transcript_json=Json.parse(text)), Transcript(video_url="w")),
    )

    read = one(write(tmp_path / "a.jsonl", str(workflow.to_json())))

    assert read == workflow == Workflow.from_json(str(workflow.to_json()))
    assert read.transcripts is not None
    assert read.transcripts[0].transcript_json is not None
    assert read.transcripts[0].transcript_json.raw == text.encode()
    assert read.structure is not None
    assert read.structure.workflow_json is not None
    assert read.structure.workflow_json.raw == text.encode()


def test_a_workflow_exported_without_parts_is_read(tmp_path: Path) -> None:
    assert one(write(tmp_path / "a.jsonl", {"workflow_id": "1", "url": "u"})) == Workflow(workflow_id="1", url="u")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('{"nodes": [], "nodes": []}', 1),
        ('{"nodes": [{"a": 1, "a": 2, "a": 3}, {"b": {"c": 1, "c": 2}}]}', 3),
        ('{"workflow_id": "1", "url": "v", "url": "u"}', 1),
        ('{"workflow_id": "1", "url": "u", "layers": {"layer1": null, "layer1": null}}', 1),
        ('{"id": 7, "name": "n", "totalViews": 1, "totalViews": 2}', 1),
    ],
)
def test_repeated_keys_are_counted_in_a_notice(tmp_path: Path, text: str, count: int) -> None:
    notices = one(write(tmp_path / "a.jsonl", text)).notices

    assert len(notices) == 1
    assert notices[0].startswith(f"{count} repeated keys")


def test_a_member_that_comes_again_as_something_else_is_the_last_one(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"source": "s", "workflow": {"nodes": [1]}, "workflow": {"nodes": []}}')

    assert body_of(one(path)) == {"nodes": []}


def test_a_folder_is_read_whole_sorted_and_by_relative_path(tmp_path: Path) -> None:
    for name in ("b/z.json", "b/a.JSON", "a.jsonl.gz", "c.txt", ".hidden.json", ".git/x.json", "b/é.json", "n.ndjson"):
        write(tmp_path / name, PLAIN)

    assert ids(tmp_path) == ["a.jsonl.gz:1", "b/a.JSON", "b/z.json", "b/é.json", "n.ndjson:1"]


def test_links_are_followed_but_never_back_to_a_parent(tmp_path: Path) -> None:
    write(tmp_path / "in/real/a.json", PLAIN)
    (tmp_path / "in/real/up").symlink_to(tmp_path / "in")
    (tmp_path / "in/self").symlink_to(tmp_path / "in/self")
    (tmp_path / "in/there").symlink_to(tmp_path / "in/real")

    assert ids(tmp_path / "in") == ["real/a.json", "there/a.json"]


def test_a_name_that_is_not_utf_8_becomes_storable(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.json")
    write(tmp_path / name, PLAIN)

    assert ids(tmp_path) == ["\\xff.json"]


def test_several_paths_are_read_one_after_the_other(tmp_path: Path) -> None:
    first, second = write(tmp_path / "1/a.json", PLAIN), write(tmp_path / "2/b.json", BODY)

    records = list(read_paths([second, str(first)]))

    assert [record.workflow_id for record in records] == ["b.json", "a.json"]


def test_files_of_the_same_name_keep_ids_of_their_own(tmp_path: Path) -> None:
    paths = [write(tmp_path / folder / "workflow.json", PLAIN) for folder in ("one", "two/deep")]

    assert [record.workflow_id for record in read_paths(paths)] == ["one/workflow.json", "two/deep/workflow.json"]


def test_folders_with_the_same_names_keep_ids_of_their_own(tmp_path: Path) -> None:
    for folder in ("one", "two", "x/two"):
        write(tmp_path / folder / "a.json", PLAIN)
    folders = [tmp_path / folder for folder in ("one", "two", "x/two", "one")]

    found = [record.workflow_id for record in read_paths(folders)]

    assert found == ["a.json", "two/a.json", str((tmp_path / "x/two/a.json").resolve()), "a.json"]


def test_a_path_that_does_not_exist_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidField, match=r"no such file or folder: .*absent\.json"):
        read_path(tmp_path / "absent.json")


def test_an_unknown_source_of_ids_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidField) as caught:
        read_path(tmp_path, id_from="name")  # type: ignore[arg-type]

    assert caught.value.allowed == ("auto", "path", "source", "template", "workflow")


def test_an_empty_folder_has_no_records(tmp_path: Path) -> None:
    assert list(read_path(tmp_path)) == []
