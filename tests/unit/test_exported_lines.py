"""The quick reader of what ``Workflow.to_json`` wrote gives what the general reader gives, or leaves the line to it.

What the general reader finds in a document at once, the documents of the quick one find by their own ``check``.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from tests.lines import read
from tests.records import full_workflow
from workflow_store import samples
from workflow_store.errors import InvalidJson
from workflow_store.importers.exported import read_exported
from workflow_store.importers.limits import DEFAULT_LIMITS, Limits
from workflow_store.models import Json, Rejected, Workflow
from workflow_store.models.notices import DuplicateKeys, duplicate_keys

ODD = [
    "",
    "",
    "",
    ",",
    "]",
    "}",
    "1",
    '"',
    "\\u0000",
    "\\u0022:",
    "\\u001b",
    "1e400",
    '"a":1,"a":2,',
    "null",
    ".0",
    "0",
    "\\ud800",
    '"layers":{},',
]
DOCUMENTS = [
    {"nodes": [{"type": "a", "workflow_json": 1}], "raw_content": {"": '"workflow_json":'}},
    {"a": 1.10, "b": [2**70, "é\u2028"]},
    [],
    None,
    "text",
]


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """A line with all parts or fewer, in one of two spellings, now and then with something odd somewhere."""
    document = json.loads(full_workflow("a").to_json().raw)
    for part, column in (("metadata", "raw_metadata"), ("structure", "workflow_json"), ("content", "raw_content")):
        document[part][column] = draw(st.sampled_from(DOCUMENTS))
        if draw(st.booleans()):
            del document[draw(st.sampled_from([part, part, "transcripts", "extracted_at"]))]
            break
    number = draw(st.sampled_from([5, 5.0, 2**53 + 1, 2**63, 2**70, -1, "5", None, 9007199254740993.0]))
    if "metadata" in document:
        document["metadata"]["views"] = number
    separators = draw(st.sampled_from([(",", ":"), (", ", ": ")]))
    text = json.dumps(document, ensure_ascii=draw(st.booleans()), separators=separators)
    place = draw(st.integers(0, len(text)))
    return (text[:place] + draw(st.sampled_from(ODD)) + text[place:]).encode()


def documents_of(record: Workflow) -> list[Json | None]:
    return [
        record.metadata.raw_metadata if record.metadata else None,
        record.structure.workflow_json if record.structure else None,
        record.content.raw_content if record.content else None,
        *(one.transcript_json for one in record.transcripts or ()),
    ]


def told(record: Any) -> Any:
    """What a reader gave, comparable; the keys that came twice as their number, wherever they are counted."""
    if not isinstance(record, Workflow):
        assert isinstance(record, Rejected)
        return record
    documents = documents_of(record)
    parts = [record, record.metadata, record.structure, record.content, *(record.transcripts or ())]
    given = [part and part.model_fields_set for part in parts]
    counted = duplicate_keys(record.notices) + sum(document.repeated_keys for document in documents if document)
    notices = [notice for notice in record.notices if not isinstance(notice, DuplicateKeys)]
    return record.with_notices(()), notices, given, [document and document.raw for document in documents], counted


def is_sound(record: Any) -> bool:
    try:
        for document in documents_of(record) if isinstance(record, Workflow) else ():
            if document is not None:
                document.check()
    except InvalidJson:
        return False
    return True


@given(line=lines())
@example(line=b'{"workflow_id":"a","url":"u","metadata":{"views":9007199254740993.0}}')
@example(line=b'{"workflow_id":"a","url":"u","structure":{"workflow_json":{"a":1,"a":2}}}')
@example(line=b'{"workflow_id":"a","url":"u","structure":{"workflow_json":1,"workflow_json":2}}')
@example(line=b'{"workflow_id":"a","url":"u","structure":{"workflow_json":{"a":1,"a":2,"b":1e400}}}')
@example(line=b'{"workflow_id":"a","url":"u","structure":{"workflow_json":1e99999999999}}')
@example(line=b'{"workflow_id":"a","url":"u","structure":{"workflow_json":' + b"[" * 600 + b"]" * 600 + b"}}")
@example(line=b'{"workflow_id":"a","url":"u","structure":{"workflow_json":"\\ud800"}}')
@example(line=b'{"workflow_id":"a","url":"u","structure":{"workflow_json":"\\u0000"}}')
@example(line=b'{"workflow_id":"a","url":"u","structure":{"workflow_json":{"a":"\\u003a","a":2}}}')
@example(line=b'{"workflow_id":"a","url":"u","structure":{"workflow_json":{"a":"\\u001b","a":2}}}')
@example(line=b'{"workflow_id":"a","url":"u","metadata":{"title":"\\u0000"}}')
@example(line=b'{"workflow_id":"a\\u0000","url":"\\u001b"}')
@example(line=b'{"workflow_id":"a","url":"\\u003a","url":"u"}')
@example(line=b'{"workflow_id":"a","url":"u","processing_time":1e15,"metadata":{"title":"","title":""}}')
@example(line=b'{"workflow_id":"a","url":"u","structure":{"workflow_json":"\xff"}}')
@example(line=b'{"workflow_id":"a","url":"u","structure":{"workflow_json":"\\ud83d\\ude00"}}')
@example(line=b'{"workflow_id":"a","url":"u","structure":{"workflow_json":null}}')
@example(line=b'{"workflow_id":"a","url":"u","structure":[],"transcripts":{}}')
@example(line=b'{"workflow_id":"a","url":"u","transcripts":[{"video_url":"v","transcript_json":[1.10]},1]}')
def test_both_readers_give_the_same(line: bytes) -> None:
    (quick,) = read(line, DEFAULT_LIMITS, quickly=True)
    (general,) = read(line, DEFAULT_LIMITS, quickly=False)

    if is_sound(quick):
        assert told(quick) == told(general)
    else:
        assert isinstance(general, Rejected)


def test_generated_workflows_come_back_equal_with_their_bytes() -> None:
    for workflow in samples.generate(100):
        line = workflow.to_json().raw

        assert read_exported(line, DEFAULT_LIMITS) is not None
        (back,) = read(line, DEFAULT_LIMITS, quickly=True)
        # A sample is made of values for all fields; a line has those that are not None.
        assert told(back)[::3] == told(workflow)[::3]


def test_digits_of_a_document_are_kept() -> None:
    workflow = full_workflow("a").model_copy(update={"structure": None})
    document = Json.parse(b'{"a":1.10,"b":123456789012345678901234567890}')
    assert workflow.content is not None
    given_one = workflow.model_copy(update={"content": workflow.content.model_copy(update={"raw_content": document})})

    back = read_exported(given_one.to_json().raw, DEFAULT_LIMITS)

    assert back is not None
    assert back.content is not None
    assert back.content.raw_content is not None
    assert back.content.raw_content.raw == document.raw


def test_limits_hold_for_both_readers() -> None:
    deep = b'{"workflow_id":"a","url":"u","structure":{"workflow_json":' + b"[" * 240 + b"]" * 240 + b"}}"

    for limits in (Limits(max_depth=200), Limits(max_document_bytes=100)):
        (rejected,) = read(deep, limits, quickly=True)
        assert isinstance(rejected, Rejected)
    (workflow,) = read(deep, DEFAULT_LIMITS, quickly=True)
    assert isinstance(workflow, Workflow)
