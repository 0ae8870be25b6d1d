"""By what a record is known when it is given again."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.records import SCRAPED_AT, full_workflow
from workflow_store import Content, InvalidRecord, Json, Metadata, Structure, Transcript, Workflow, samples
from workflow_store.queries.encoding import encode
from workflow_store.queries.given import line_hash, record_hash
from workflow_store.queries.hashing import workflow_hash
from workflow_store.queries.parameters import Limits
from workflow_store.resources import folder

FULL = full_workflow(retry_count=1)
SQL = folder("sql")


def hash_of(workflow: Workflow) -> str:
    return workflow_hash(workflow, Limits(), replace=False)[0]


@pytest.mark.parametrize("replace", [False, True])
def test_it_is_what_the_encoded_record_has(replace: bool) -> None:
    given = [FULL, Workflow(workflow_id="1", url="u"), Workflow(workflow_id="1", url="u", transcripts=())]
    for workflow in [*given, *samples.generate(300)]:
        record = encode(workflow, Limits(), datetime.now(UTC))
        expected = (record_hash(record, replace=replace), record.size)
        assert workflow_hash(workflow, Limits(), replace=replace) == expected


def changes(part: str, names: dict[str, Any]) -> list[Workflow]:
    whole = getattr(FULL, part)
    return [FULL.model_copy(update={part: whole.model_copy(update={name: value})}) for name, value in names.items()]


# A value of its own for every field but the stamps and the time that a scrape took.
CHANGED: dict[str, dict[str, Any]] = {
    "metadata": {
        **dict.fromkeys(("title", "description", "use_case", "author_name", "author_url"), "another"),
        **dict.fromkeys(("views", "shares"), 7),
        **dict.fromkeys(("categories", "tags"), ("another",)),
        **dict.fromkeys(("workflow_created_at", "workflow_updated_at"), datetime(2020, 1, 1, tzinfo=UTC)),
        "raw_metadata": Json({"another": 1}),
    },
    "structure": {
        "node_count": 7,
        "connection_count": 7,
        "node_types": ("another",),
        "extraction_type": "another",
        "fallback_used": False,
        "workflow_json": Json({"another": 1}),
    },
    "content": {
        **dict.fromkeys(("explainer_text", "explainer_html", "setup_instructions", "use_instructions"), "another"),
        **dict.fromkeys(("has_videos", "has_iframes"), False),
        **dict.fromkeys(("video_count", "iframe_count"), 7),
        "raw_content": Json({"another": 1}),
    },
}
ROW: dict[str, Any] = {"url": "another", "error_message": "another", "quality_score": 7.0, "retry_count": 7}


def test_no_two_records_have_the_same() -> None:
    others = [one for part, names in CHANGED.items() for one in changes(part, names)]
    others += [FULL.model_copy(update={name: value}) for name, value in ROW.items()]
    others += [FULL.model_copy(update={name: None}) for name in (*CHANGED, "transcripts", *ROW) if name != "url"]
    listed = FULL.transcripts or ()
    transcript = {"video_url": "v", "video_id": "v", "platform": "v", "transcript_text": "v", "language": "v"}
    for name, value in {**transcript, "duration": 7.0, "transcript_json": Json(7)}.items():
        changed = (listed[0].model_copy(update={name: value}), *listed[1:])
        others.append(FULL.model_copy(update={"transcripts": changed}))
    others += [FULL.model_copy(update={"transcripts": one}) for one in ((), listed[:1], listed[::-1])]

    hashes = [hash_of(one) for one in (FULL, *others)]

    assert len(set(hashes)) == len(hashes) > 45
    for model, part in ((Metadata, "metadata"), (Structure, "structure"), (Content, "content")):
        assert CHANGED[part].keys() | {"extracted_at"} == model.model_fields.keys()
    assert {*transcript, "duration", "transcript_json", "extracted_at"} == Transcript.model_fields.keys()


def test_when_it_was_scraped_and_how_long_that_took_is_no_change() -> None:
    later = SCRAPED_AT.replace(year=2030)
    assert FULL.metadata is not None
    again = FULL.model_copy(
        update={
            "extracted_at": later,
            "processing_time": 99.0,
            "metadata": FULL.metadata.model_copy(update={"extracted_at": later}),
        }
    )
    assert hash_of(again) == hash_of(FULL)


def test_with_other_options_it_is_another() -> None:
    assert workflow_hash(FULL, Limits(), replace=True)[0] != hash_of(FULL)
    assert line_hash(b"{}", replace=True) != line_hash(b"{}", replace=False)


def test_what_can_not_be_stored_has_none() -> None:
    with pytest.raises(InvalidRecord, match=r"metadata\.title"):
        hash_of(Workflow(workflow_id="1", url="u", metadata=Metadata(title="\ud800")))


def statements_that_set(column: str, table: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in SQL.rglob("*.sql"):
        text = path.read_text("utf-8")
        writes = re.search(rf"(UPDATE|INSERT INTO) workflow_store\.{table}\b", text)
        if writes and re.search(rf"(?<![.\w]){column} = ", text):
            found[path.relative_to(SQL).as_posix()] = text
    return found


def test_each_statement_that_changes_a_workflow_moves_its_moment_on() -> None:
    found = statements_that_set("updated_at", "workflows")

    assert found.keys() == {"workflow/stamp.sql", "update/workflow.sql", "scrape/set_error.sql"}
    for text in found.values():
        assert "updated_at = greatest(now(), w.updated_at + interval '1 microsecond')" in text


def test_each_statement_that_counts_retries_looks_after_what_was_given() -> None:
    found = statements_that_set("retry_count", "workflow_scrape")

    # The count that a record brings is set after the hash of the record was noted, or with another updated_at.
    assert found.pop("scrape/set_retry_count.sql")
    assert found.keys() == {"ingest/create.sql", "scrape/complete.sql", "scrape/fail.sql", "workflow/create.sql"}
    for name, text in found.items():
        assert "given_hash = " in text, name
