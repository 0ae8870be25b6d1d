"""Two scrapes of one workflow in one batch: folded, they leave what both would have left one after the other."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.records import PARTS, WORKFLOWS, full_workflow, moment, spelt
from workflow_store.models import Workflow
from workflow_store.queries.encoding import encode
from workflow_store.queries.parameters import Limits, fold


def stamped(workflow: Workflow, when: datetime) -> Workflow:
    """The workflow with the time of each part made explicit."""
    seen = workflow.extracted_at or when
    parts: dict[str, Any] = {}
    for name in PARTS:
        part = getattr(workflow, name)
        if name == "transcripts" and part is not None:
            parts[name] = tuple(one.model_copy(update={"extracted_at": one.extracted_at or seen}) for one in part)
        elif part is not None:
            parts[name] = part.model_copy(update={"extracted_at": part.extracted_at or seen})
    return workflow.model_copy(update={"extracted_at": seen, **parts})


def scraped_again(stored: Workflow, scraped: Workflow) -> Workflow:
    """What the store holds after a second scrape, told in models."""

    def content(part: Any) -> Any:
        return None if part is None else list(map(spelt, part)) if isinstance(part, tuple) else spelt(part)

    new = {
        name: getattr(scraped, name)
        for name in PARTS
        if getattr(scraped, name) is not None and content(getattr(scraped, name)) != content(getattr(stored, name))
    }
    retries = stored.retry_count if scraped.retry_count is None else scraped.retry_count
    quality = stored.quality_score if scraped.quality_score is None else scraped.quality_score
    time = stored.processing_time if scraped.processing_time is None else scraped.processing_time
    told = (stored.url, stored.error_message, stored.quality_score)
    if not new and told == (scraped.url, scraped.error_message, quality):
        return stored.model_copy(update={"retry_count": retries})
    kept = {name: getattr(stored, name) for name in PARTS} | new
    return scraped.model_copy(
        update={"retry_count": retries, "quality_score": quality, "processing_time": time, **kept}
    )


@given(WORKFLOWS, WORKFLOWS, st.sets(st.sampled_from([*PARTS, "url", "error_message", "quality_score"])))
def test_two_scrapes_fold_into_what_the_store_would_hold_after_both(
    older: Workflow, newer: Workflow, shared: set[str]
) -> None:
    # Arbitrary workflows hardly ever agree: some of their fields are made the same.
    newer = newer.model_copy(
        update={name: getattr(older, name) for name in shared} | {"workflow_id": older.workflow_id}
    )
    first, second = stamped(older, moment(1)), stamped(newer, moment(2))

    folded = fold(encode(older, Limits(), moment(1)), encode(newer, Limits(), moment(2)))

    expected = encode(scraped_again(first, second), Limits(), moment(3))
    assert folded.workflow == expected.workflow
    assert folded.metadata == expected.metadata
    assert folded.structure == expected.structure
    assert folded.content == expected.content
    assert folded.transcripts == expected.transcripts
    assert folded.retry_count == expected.retry_count


def test_a_scrape_that_brings_nothing_new_leaves_the_stamps_of_the_first() -> None:
    first = encode(full_workflow(), Limits(), moment(1))
    again = stamped(full_workflow().model_copy(update={"extracted_at": moment(60), "processing_time": 9.0}), moment(3))

    folded = fold(first, encode(again.model_copy(update={"retry_count": 7}), Limits(), moment(3)))

    assert folded.workflow == first.workflow
    assert folded.metadata is first.metadata
    assert folded.transcripts is first.transcripts
    assert folded.retry_count == 7
