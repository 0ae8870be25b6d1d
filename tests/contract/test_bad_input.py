"""Every kind of bad or odd input, by every way into the store: what can be stored comes back equal, the rest is refused
alone, by name, and kept."""

from __future__ import annotations

import asyncio
import base64
import json
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.lines import exported_line
from tests.quarantined import quarantined
from tests.records import parts_of, small_workflow
from workflow_store import (
    Content,
    DocumentTooLarge,
    IngestReport,
    InvalidJson,
    InvalidRecord,
    Json,
    Metadata,
    RecordError,
    ServerError,
    Settings,
    SettingsError,
    Structure,
    Transcript,
    Workflow,
    WorkflowStore,
)
from workflow_store.database import Session
from workflow_store.importers import Limits, read_path
from workflow_store.queries.encoding import encode
from workflow_store.queries.parameters import Limits as RecordLimits

Way = Callable[[WorkflowStore, Workflow], Awaitable[object]]


async def create(store: WorkflowStore, workflow: Workflow) -> object:
    await store.create_workflow(workflow)
    return None


async def upsert(store: WorkflowStore, workflow: Workflow) -> object:
    return await store.upsert_workflow(workflow)


async def put(store: WorkflowStore, workflow: Workflow) -> object:
    async with store.writer() as writer:
        return await writer.put(workflow)


async def put_among_others(store: WorkflowStore, workflow: Workflow) -> object:
    async with store.writer() as writer:
        before, answer, after = await asyncio.gather(
            writer.put(small_workflow("before")),
            writer.put(workflow),
            writer.put(small_workflow("after")),
            return_exceptions=True,
        )
    assert {before, after} <= {"inserted", "unchanged"}
    if isinstance(answer, BaseException):
        raise answer
    return answer


ONE_BY_ONE = (create, upsert, put, put_among_others)


def with_document(raw: bytes, workflow_id: str = "1") -> Workflow:
    """A workflow with these bytes as its document, taken on trust."""
    return Workflow(workflow_id=workflow_id, url="u", structure=Structure(workflow_json=Json.trusted(raw)))


def line_of(shape: str, document: bytes) -> bytes:
    """A line of one of the shapes that importers read, with a document in it; its workflow's id is 1."""
    if shape == "exported":
        return exported_line(with_document(b"0"), document)
    if shape == "wrapped":
        return b'{"source": "1", "workflow": ' + document + b"}"
    if shape == "wrapped, spelt otherwise":
        return b'{"workflow": ' + document + b', "source": "1"}'
    return b'{"id": 1, "name": "t", "workflow": ' + document + b"}"


SHAPES = ("exported", "wrapped", "wrapped, spelt otherwise", "template")


async def stored_document(store: WorkflowStore) -> Json:
    workflow = await store.get_workflow("1")
    assert workflow is not None
    assert workflow.structure is not None
    assert workflow.structure.workflow_json is not None
    return workflow.structure.workflow_json


async def ingested(store: WorkflowStore, folder: Path, line: bytes, **limits: Any) -> IngestReport:
    """A line between two good ones, ingested."""
    good = [small_workflow(name).to_json().raw for name in ("before", "after")]
    path = folder / "lines.jsonl"
    path.write_bytes(b"\n".join((good[0], line, good[1])) + b"\n")
    return await store.ingest(read_path(path, limits=Limits(**limits)))


# What is stored as it is.

ODD_BUT_FINE = {
    "an escaped backslash before u0000": rb'{"nodes":[],"x":"\\u0000 \\\\u0000 \\ud800"}',
    "integers beyond 2^53 and 2^64": b'{"nodes":[],"x":[9007199254740993,18446744073709551617,-9223372036854775809]}',
    "an integer of 40 digits": b'{"nodes":[],"x":1234567890123456789012345678901234567890}',
    "digits beyond a float": b'{"nodes":[],"x":[0.1234567890123456789012345678901234567890,1e400,-1E-400]}',
    "negative zero": b'{"nodes":[],"x":[-0,-0.0,0.0]}',
    "an empty key": b'{"nodes":[],"":{"":[]}}',
    "separators, marks of direction and emoji": '{"nodes":[],"\u2028":"\u2029\u200f\u202e👩‍👩‍👧"}'.encode(),
    "a pair of escaped halves": rb'{"nodes":[],"x":"\ud83e\udd16 \uD83E\uDD16"}',
    "an escaped slash and controls": rb'{"nodes":[],"x":"\/\u001f\b\f"}',
    "pinData": json.dumps({"nodes": [], "pinData": {"a": base64.b64encode(bytes(range(256)) * 400).decode()}}).encode(),
    "512 levels": b'{"nodes":[],"x":' + b"[" * 511 + b"]" * 511 + b"}",
}


@pytest.mark.parametrize("document", ODD_BUT_FINE.values(), ids=ODD_BUT_FINE)
async def test_an_odd_document_comes_back_equal_by_every_way(
    store: WorkflowStore, tmp_path: Path, document: bytes
) -> None:
    for way in (create, upsert, put):
        await way(store, with_document(document))
        assert await stored_document(store) == Json.parse(document)
        await store.delete_workflow("1")
    report = await store.ingest([with_document(document)])
    assert (report.inserted, report.rejected) == (1, 0)
    assert await stored_document(store) == Json.parse(document)
    for shape in SHAPES:
        await store.delete_workflow("1")
        report = await ingested(store, tmp_path, line_of(shape, document))
        assert (report.rejected, report.notices) == (0, []), shape
        assert await stored_document(store) == Json.parse(document), shape


async def test_numbers_come_back_with_all_their_digits(store: WorkflowStore) -> None:
    await store.ingest([with_document(ODD_BUT_FINE["digits beyond a float"])])

    value = (await stored_document(store)).value

    assert value["x"] == [Decimal("0.1234567890123456789012345678901234567890"), Decimal("1e400"), Decimal("-1e-400")]


# What is refused.

REFUSED = {
    "NUL": (rb'{"nodes":[{"a":"b\u0000"}]}', r"a NUL character \(\\u0000\) at \$\S*nodes\[0\]\.a"),
    "NUL in a key": (rb'{"nodes":[{"a\u0000":1}]}', r"a NUL character \(\\u0000\) at a key of \$\S*nodes\[0\]"),
    "NUL after an escaped backslash": (rb'{"nodes":["\\\u0000"]}', r"a NUL character \(\\u0000\) at \$\S*nodes\[0\]"),
    "half a character": (rb'{"nodes":["\ud800"]}', r"a lone surrogate \(half a character\) at \$\S*nodes\[0\]"),
    "halves in the wrong order": (rb'{"nodes":["\ude00\ud83d"]}', r"a lone surrogate \(half a character\) at \$"),
    "1,000 levels": (b'{"nodes":' + b"[" * 1_000 + b"]" * 1_000 + b"}", "nested deeper than"),
    "8,000 levels": (b'{"nodes":' + b"[" * 8_000 + b"]" * 8_000 + b"}", "nested deeper than"),
    "20,000 levels": (b'{"nodes":' + b'{"a":' * 20_000 + b"1" + b"}" * 20_000 + b"}", "nested deeper than"),
}


@pytest.mark.parametrize(("document", "reason"), REFUSED.values(), ids=REFUSED)
async def test_a_document_that_can_not_be_stored_is_refused_before_the_wire(
    store: WorkflowStore, session: Session, tmp_path: Path, document: bytes, reason: str
) -> None:
    for way in ONE_BY_ONE:
        with pytest.raises(InvalidRecord, match=rf"structure\.workflow_json: {reason}"):
            await way(store, with_document(document))
    report = await store.ingest([small_workflow("a"), with_document(document), small_workflow("b")])
    assert (report.inserted, report.rejected, report.rejections[0].position) == (2, 1, 1)
    for shape in SHAPES:
        report = await ingested(store, tmp_path, line_of(shape, document))
        assert report.rejected == 1, shape
        assert report.rejections[0].source.endswith("lines.jsonl:2")
    rows = await quarantined(session)

    assert await store.exists(["1", "a", "b", "before", "after"]) == {"a", "b", "before", "after"}
    # Each with its own bytes.
    assert {row.raw for row in rows} >= {line_of(shape, document) for shape in SHAPES}
    assert all(row.raw_length == len(row.raw) for row in rows)


NOT_JSON = {
    "NaN": (b'{"nodes":[NaN]}', "NaN is not JSON"),
    "Infinity": (b'{"nodes":[-Infinity]}', "-Infinity is not JSON"),
    "other text behind it": (b'{"nodes":[]} done', "Extra data"),
    "half of it": (b'{"nodes":[', "Expecting value"),
    "an unescaped control": (b'{"nodes":["a\x00b"]}', "control character"),
    "1e131072": (b'{"nodes":[1e131072]}', "beyond what PostgreSQL holds"),
    "-1e999999999999": (b'{"nodes":[-1e999999999999]}', "beyond what PostgreSQL holds"),
    "131,073 digits": (b'{"nodes":[' + b"9" * 131_073 + b"]}", "131,073 digits"),
    "a byte that is no UTF-8": (b'{"nodes":["\xff"]}', r"not UTF-8 at byte \d+"),
    "half a character in UTF-8": (b'{"nodes":["\xed\xa0\x80"]}', r"not UTF-8 at byte \d+"),
}


@pytest.mark.parametrize(("document", "reason"), NOT_JSON.values(), ids=NOT_JSON)
async def test_text_that_is_not_storable_json_is_refused_alone_by_every_way(
    store: WorkflowStore, session: Session, tmp_path: Path, document: bytes, reason: str
) -> None:
    with pytest.raises(InvalidJson, match=reason):
        Json.parse(document)
    for shape in SHAPES:
        report = await ingested(store, tmp_path, line_of(shape, document))
        assert report.rejected == 1, shape
        assert report.inserted + report.unchanged == 2, shape
    # Taken on trust it is the server that refuses it, and it alone.
    report = await store.ingest([small_workflow("a"), with_document(document), small_workflow("b")])
    assert (report.inserted, report.rejected, report.rejections[0].position) == (2, 1, 1)
    for way in ONE_BY_ONE:
        with pytest.raises((RecordError, ServerError)):
            await way(store, with_document(document))

    rows = await quarantined(session)
    assert not await store.exists(["1"])
    assert {row.raw for row in rows} >= {line_of(shape, document) for shape in SHAPES}
    assert any(document in row.raw and row.workflow_id == "1" for row in rows)
    await store.upsert_workflow(small_workflow("still works"))


async def test_a_byte_order_mark_is_removed(store: WorkflowStore, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"nodes": []}')
    (tmp_path / "b.jsonl").write_bytes(b'\xef\xbb\xbf{"nodes": []}\n{"nodes": []}\n')

    report = await store.ingest(read_path(tmp_path))

    assert (report.inserted, report.rejected) == (3, 0)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), float("-inf"), Decimal("NaN"), Decimal("Infinity")], ids=str
)
def test_no_encoder_writes_a_number_that_json_lacks_as_null(value: Any) -> None:
    for inside in (value, [value], {"a": {"b": value}}, [Decimal(1), value]):
        with pytest.raises(InvalidJson):
            Json(inside)
    for field in ("quality_score", "processing_time"):
        with pytest.raises(ValueError, match=field):
            Workflow(workflow_id="1", url="u", **{field: value})


DEEPEST = 800


async def test_the_deepest_setting_holds_by_every_way_in_and_out(database_dsn: str, tmp_path: Path) -> None:
    document = b'{"nodes":[],"x":' + b"[" * (DEEPEST - 1) + b"]" * (DEEPEST - 1) + b"}"
    deeper = b'{"nodes":[],"x":' + b"[" * DEEPEST + b"]" * DEEPEST + b"}"

    async with WorkflowStore.open(dsn=database_dsn, pool_min_size=0, max_json_depth=DEEPEST) as store:
        for way in ONE_BY_ONE:
            await way(store, with_document(document))
            with pytest.raises(InvalidRecord, match="nested deeper than 800 levels"):
                await way(store, with_document(deeper, "2"))
            back = await store.get_workflow("1")
            assert back is not None
            assert back == Workflow.from_json(back.to_json().raw)
            assert (await stored_document(store)).value == Json.trusted(document).value
            await store.delete_workflow("1")
        for shape in SHAPES:
            report = await ingested(store, tmp_path, line_of(shape, document), max_depth=DEEPEST)
            assert report.rejected == 0, shape
            assert await stored_document(store) == Json.trusted(document)
            await store.delete_workflow("1")
            report = await ingested(store, tmp_path, line_of(shape, deeper), max_depth=DEEPEST)
            assert report.rejected == 1, shape
        assert len(await store.list_workflows(include=["structure"])) == 2


def test_a_deeper_setting_is_refused() -> None:
    with pytest.raises(SettingsError, match="MAX_JSON_DEPTH"):
        Settings.load(max_json_depth=DEEPEST + 1)


# Texts.

TEXTS = {
    "url": lambda text: Workflow(workflow_id="1", url=text),
    "error_message": lambda text: Workflow(workflow_id="1", url="u", error_message=text),
    "metadata.title": lambda text: Workflow(workflow_id="1", url="u", metadata=Metadata(title=text)),
    "metadata.tags": lambda text: Workflow(workflow_id="1", url="u", metadata=Metadata(tags=("a", text))),
    "metadata.raw_metadata": lambda text: Workflow(
        workflow_id="1", url="u", metadata=Metadata(raw_metadata=Json({text: [text]}))
    ),
    "structure.node_types": lambda text: Workflow(workflow_id="1", url="u", structure=Structure(node_types=(text,))),
    "content.explainer_html": lambda text: Workflow(workflow_id="1", url="u", content=Content(explainer_html=text)),
    "transcripts.1.transcript_text": lambda text: Workflow(
        workflow_id="1",
        url="u",
        transcripts=(Transcript(video_url="v"), Transcript(video_url="w", transcript_text=text)),
    ),
}
UNSTORABLE = {"NUL": "a\x00b", "half a character": "a\ud800b", "halves in the wrong order": "a\udc00\ud800b"}


@pytest.mark.parametrize("text", UNSTORABLE.values(), ids=UNSTORABLE)
@pytest.mark.parametrize("field", TEXTS)
async def test_a_text_that_can_not_be_stored_is_refused_by_name(store: WorkflowStore, field: str, text: str) -> None:
    bad = TEXTS[field](text)

    for way in (create, upsert, put):
        with pytest.raises(InvalidRecord) as caught:
            await way(store, bad)
        assert caught.value.field == field
    report = await store.ingest([small_workflow("a"), bad, small_workflow("b")])

    assert (report.inserted, report.rejected) == (2, 1)
    assert field in report.rejections[0].reason
    assert not await store.exists(["1"])


@pytest.mark.parametrize("policy", ["strip", "replace"])
@pytest.mark.parametrize("text", UNSTORABLE.values(), ids=UNSTORABLE)
@pytest.mark.parametrize("field", TEXTS)
async def test_with_a_policy_it_is_stored_without_them_by_every_way(
    store: WorkflowStore, database_dsn: str, field: str, text: str, policy: Any
) -> None:
    clean = "ab" if policy == "strip" else text.translate(dict.fromkeys((0, 0xD800, 0xDC00), "\ufffd"))
    expected = TEXTS[field](clean)

    async with WorkflowStore.open(dsn=database_dsn, pool_min_size=0, nul=policy) as lenient:
        for way in (create, upsert, put):
            await way(lenient, TEXTS[field](text))
            assert parts_of(await store.get_workflow("1")) == parts_of(expected)
            await store.delete_workflow("1")
        report = await lenient.ingest([small_workflow("a"), TEXTS[field](text), small_workflow("b")])

    assert (report.inserted, report.rejected, report.cleaned) == (3, 0, 1)
    (notice,) = report.notices
    assert notice.startswith(f"1: {field}")
    assert notice.endswith("removed" if policy == "strip" else "replaced by U+FFFD")
    assert parts_of(await store.get_workflow("1")) == parts_of(expected)


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_policy_holds_for_documents_of_every_shape(database_dsn: str, tmp_path: Path, shape: str) -> None:
    document = rb'{"nodes":[{"\u0000k":"\\u0000 a\u0000\ud83e\udd16 \udd16 \\\ud83e\u0000\udd16"}],"tags":["t\u0000"]}'

    async with WorkflowStore.open(dsn=database_dsn, pool_min_size=0, nul="strip") as lenient:
        report = await ingested(lenient, tmp_path, line_of(shape, document), nul="strip")
        value = (await stored_document(lenient)).value

    assert (report.inserted, report.rejected, report.cleaned) == (3, 0, 1)
    assert value == {"nodes": [{"k": "\\u0000 a🤖  \\"}], "tags": ["t"]}


async def test_a_policy_never_changes_an_id(database_dsn: str) -> None:
    async with WorkflowStore.open(dsn=database_dsn, pool_min_size=0, nul="strip") as lenient:
        report = await lenient.ingest([Workflow(workflow_id="a\x00", url="u\x00")])
        with pytest.raises(InvalidRecord, match="workflow_id"):
            await lenient.upsert_workflow(Workflow(workflow_id="a\ud800", url="u"))

    assert (report.inserted, report.rejected) == (0, 1)
    assert report.rejections[0].reason.startswith("workflow_id")


async def test_a_policy_holds_for_updates(store: WorkflowStore, database_dsn: str) -> None:
    await store.upsert_workflow(small_workflow("1"))
    with pytest.raises(InvalidRecord, match=r"metadata\.title"):
        await store.update_workflow("1", metadata={"title": "a\x00b"})

    async with WorkflowStore.open(dsn=database_dsn, pool_min_size=0, nul="replace") as lenient:
        updated = await lenient.update_workflow("1", metadata={"title": "a\x00b"})

    assert updated is not None
    assert updated.metadata is not None
    assert updated.metadata.title == "a\ufffdb"


def test_what_is_wrong_otherwise_is_refused_with_every_policy() -> None:
    bad = Workflow(workflow_id="1", url="u\x00", metadata=Metadata(title="x" * 200))

    with pytest.raises(InvalidRecord, match=r"metadata\.title: a text of 200 bytes"):
        encode(bad, RecordLimits(max_document_bytes=100, nul="strip"), datetime.now(UTC))


# Keys that come twice.


@pytest.mark.parametrize("shape", SHAPES)
async def test_keys_that_come_twice_are_counted_and_the_last_one_stays(
    store: WorkflowStore, tmp_path: Path, shape: str
) -> None:
    document = b'{"nodes":[{"a":1,"a":2},{"b":{"c":1,"c":2,"c":3}}],"x":1}'

    report = await ingested(store, tmp_path, line_of(shape, document))

    assert (report.inserted, report.duplicate_keys) == (3, 3)
    assert len(report.notices) == 1
    assert "3 repeated keys" in report.notices[0]
    assert (await stored_document(store)).value == {"nodes": [{"a": 2}, {"b": {"c": 3}}], "x": 1}


async def test_keys_that_come_twice_in_a_document_that_was_parsed_are_counted(store: WorkflowStore) -> None:
    document = Json.parse(b'{"a": 1, "\\u0061": 2, "b": ":", "c": {"d": 1, "d": 2}}')
    plain = Json.parse(b'{"a": "x:y", "\\u003a": 2}')

    report = await store.ingest(
        [
            Workflow(workflow_id="1", url="u", structure=Structure(workflow_json=document)),
            Workflow(workflow_id="2", url="u", structure=Structure(workflow_json=plain)),
        ]
    )

    assert report.duplicate_keys == 2
    assert report.notices == ["1: structure.workflow_json: 2 repeated keys, the last of each stays"]
    assert (await stored_document(store)).value == {"a": 2, "b": ":", "c": {"d": 2}}


# Sizes.


async def test_a_million_keys_in_one_object_are_stored(store: WorkflowStore) -> None:
    document = Json({str(n): n for n in range(1_000_000)})

    await store.upsert_workflow(with_document(document.raw))

    assert len((await stored_document(store)).value) == 1_000_000


async def test_a_string_of_100_mb_is_refused_before_the_wire_and_its_beginning_kept(
    store: WorkflowStore, session: Session, tmp_path: Path
) -> None:
    raw = b'{"nodes":["' + b"x" * 100_000_000 + b'"]}'

    with pytest.raises(DocumentTooLarge):
        Json.parse(raw)
    for way in (create, upsert, put):
        with pytest.raises(InvalidRecord, match=r"a document of 100,000,014 bytes; at most 16,777,216 are allowed"):
            await way(store, with_document(raw))
    report = await ingested(store, tmp_path, line_of("wrapped", raw))
    (row,) = await quarantined(session)

    assert (report.inserted, report.rejected) == (2, 1)
    assert row.raw_length == len(line_of("wrapped", raw))
    assert len(row.raw) <= 1_000_000


async def test_a_node_name_of_10_mb_is_stored(store: WorkflowStore, tmp_path: Path) -> None:
    document = json.dumps({"nodes": [{"name": "n" * 10_000_000, "type": "t"}]}).encode()

    report = await ingested(store, tmp_path, line_of("wrapped", document))

    assert report.inserted == 3
    assert await stored_document(store) == Json.trusted(document)


async def test_5_mb_of_different_words_in_a_searched_text_are_stored(store: WorkflowStore) -> None:
    letters = random.Random(1)
    words = " ".join(f"{letters.randrange(36**8):09x}" for _ in range(500_000))
    bulky = small_workflow("1", content=Content(explainer_text=words), metadata=Metadata(title="t", description=words))

    report = await store.ingest([small_workflow("a"), bulky, small_workflow("b")], refresh=True)

    assert (report.inserted, report.rejected) == (3, 0)
    workflow = await store.get_workflow("1")
    assert workflow is not None
    assert workflow.content is not None
    assert workflow.content.explainer_text == words
    assert [hit.workflow.workflow_id for hit in (await store.search_workflows(words.split()[0])).items] == ["1"]


async def test_12000_random_characters_are_stored_in_every_text(store: WorkflowStore) -> None:
    letters = random.Random(2)
    text = "".join(chr(letters.randrange(0x4E00, 0x9FFF)) for _ in range(12_000))
    page = Metadata(
        title=text, description=text, use_case=text, author_name=text, author_url=text, categories=(text,), tags=(text,)
    )
    workflow = Workflow(
        workflow_id="1",
        url=text,
        error_message=text,
        metadata=page,
        structure=Structure(node_types=(text,), extraction_type=text),
        transcripts=(Transcript(video_url=text, video_id=text, platform=text, language=text),),
    )

    report = await store.ingest([workflow], refresh=True)

    assert (report.inserted, report.rejected) == (1, 0)
    assert parts_of(await store.get_workflow("1")) == parts_of(workflow)


# Values of other types than their columns'.


async def test_an_integer_beyond_64_bits_is_a_typed_error_that_names_the_field(
    store: WorkflowStore, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="views"):
        Metadata(views=2**70)
    await store.upsert_workflow(small_workflow("a"))
    with pytest.raises(InvalidRecord, match=r"metadata\.views"):
        await store.update_workflow("a", metadata={"views": 2**70})

    report = await ingested(store, tmp_path, b'{"workflow_id":"1","url":"u","metadata":{"views":%d}}' % 2**70)

    assert (report.inserted, report.rejected) == (2, 1)
    assert "metadata.views" in report.rejections[0].reason


@pytest.mark.parametrize(
    ("moment", "kept"),
    [
        ("0000-01-01T00:00:00Z", None),
        ("10000-01-01T00:00:00Z", None),
        ("infinity", None),
        ("2025-01-01T00:00:00", datetime(2025, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59-01:00", None),
    ],
)
async def test_a_date_that_no_calendar_has_is_left_out_and_told(
    store: WorkflowStore, tmp_path: Path, moment: str, kept: datetime | None
) -> None:
    line = line_of("wrapped", json.dumps({"nodes": [], "name": "n", "createdAt": moment}).encode())

    report = await ingested(store, tmp_path, line)

    workflow = await store.get_workflow("1")
    assert report.inserted == 3
    assert workflow is not None
    assert workflow.metadata is not None
    assert workflow.metadata.workflow_created_at == kept
    assert len(report.notices) == (kept is None)


@pytest.mark.parametrize("moment", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_the_ends_of_the_calendar_are_a_typed_error(moment: datetime) -> None:
    with pytest.raises(ValueError, match="extracted_at"):
        Workflow(workflow_id="1", url="u", extracted_at=moment)


# Shapes.


async def test_shapes_that_are_odd_are_stored_or_refused_with_the_reason(store: WorkflowStore, tmp_path: Path) -> None:
    lines = {
        b'{"nodes": [], "connections": {}}': None,
        b'{"name": null, "nodes": [{}], "connections": []}': None,
        b'{"id": 5, "nodes": [], "tags": ["a", "b"]}': None,
        b'{"id": "5", "nodes": [], "tags": [{"id": 1, "name": "a"}, {"name": "b"}]}': None,
        b'{"id": 5, "nodes": [], "tags": {"not": "a list"}}': None,
        b'{"name": "no nodes"}': "no n8n workflow: an object without nodes",
        b'{"nodes": {"0": 1}}': "its nodes are no list",
        b"{}": "an empty object",
        b"[]": None,
        b"null": "an n8n workflow is an object",
        b'"text"': "an n8n workflow is an object",
        b"": None,
        b"{\"nodes\": []} {\"nodes\": []}": "other text after the end of the JSON",
    }  # fmt: skip
    path = tmp_path / "odd.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    (tmp_path / "empty.json").touch()

    report = await store.ingest(read_path(tmp_path))

    said = {rejected.source.rpartition("/")[2]: rejected.reason for rejected in report.rejections}
    expected = {f"odd.jsonl:{n}": reason for n, reason in enumerate(lines.values(), 1) if reason}
    assert report.inserted == 5
    assert said.keys() == expected.keys() | {"empty.json"}
    assert "empty" in said.pop("empty.json")
    for source, reason in expected.items():
        assert reason in said[source], source


# The same id again.


async def test_sizes_are_those_of_what_is_stored(store: WorkflowStore) -> None:
    large = small_workflow("1", structure=Structure(workflow_json=Json("x" * 100_000)))
    small = small_workflow("1", structure=Structure(workflow_json=Json("y")))
    page = Workflow(workflow_id="1", url="u", metadata=Metadata(title="z" * 50_000))

    alone = encode(small, RecordLimits(), datetime.now(UTC)).size
    report = await store.ingest([large, small])
    joined = await store.ingest([large, page], mode="upsert")

    assert (report.bytes, report.repeated) == (alone, 1)
    assert 150_000 < joined.bytes < 151_000


async def test_of_two_records_of_one_id_only_the_one_that_the_server_refuses_is_put_aside(
    store: WorkflowStore, session: Session
) -> None:
    first = small_workflow("1", metadata=Metadata(title="first"))
    refused = with_document(b"{not json}")
    third = Workflow(workflow_id="1", url="u3", content=Content(explainer_text="third"))

    report = await store.ingest([small_workflow("a"), first, refused, small_workflow("b"), third])

    (row,) = await quarantined(session)
    workflow = await store.get_workflow("1")
    assert (report.inserted, report.updated, report.rejected, report.repeated) == (3, 1, 1, 0)
    assert (row.position, row.workflow_id) == (2, "1")
    assert b"{not json}" in row.raw
    assert workflow is not None
    assert workflow.url == "u3"
    assert workflow.metadata is not None
    assert workflow.metadata.title == "first"
    assert workflow.content is not None


async def test_both_are_put_aside_where_both_are_refused(store: WorkflowStore, session: Session) -> None:
    report = await store.ingest([with_document(b"{one}"), with_document(b"{two}")])

    rows = await quarantined(session)
    assert (report.stored, report.rejected, report.repeated) == (0, 2, 0)
    assert sorted((row.position, b"{one}" in row.raw, b"{two}" in row.raw) for row in rows) == [
        (0, True, False),
        (1, False, True),
    ]
