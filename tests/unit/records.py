"""Arbitrary workflows for property tests, and one with something in every field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st
from pydantic import BaseModel

from workflow_store.models import Content, Json, Metadata, Structure, Transcript, Workflow

PARTS: Final[dict[str, type[BaseModel]]] = {
    "metadata": Metadata,
    "structure": Structure,
    "content": Content,
    "transcripts": Transcript,
}
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
COUNTS = st.integers(-(2**63), 2**63 - 1)
NUMBERS = st.floats(-1e300, 1e300)
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
NAMES = st.lists(TEXT, max_size=3).map(tuple)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
).map(Json)


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


METADATA = st.builds(
    Metadata,
    title=optional(TEXT),
    description=optional(TEXT),
    use_case=optional(TEXT),
    author_name=optional(TEXT),
    author_url=optional(TEXT),
    views=optional(COUNTS),
    shares=optional(COUNTS),
    categories=optional(NAMES),
    tags=optional(NAMES),
    workflow_created_at=optional(MOMENTS),
    workflow_updated_at=optional(MOMENTS),
    raw_metadata=optional(DOCUMENTS),
    extracted_at=optional(MOMENTS),
)
STRUCTURES = st.builds(
    Structure,
    node_count=optional(COUNTS),
    connection_count=optional(COUNTS),
    node_types=optional(NAMES),
    extraction_type=optional(TEXT),
    fallback_used=st.booleans(),
    workflow_json=optional(DOCUMENTS),
    extracted_at=optional(MOMENTS),
)
CONTENTS = st.builds(
    Content,
    explainer_text=optional(TEXT),
    explainer_html=optional(TEXT),
    setup_instructions=optional(TEXT),
    use_instructions=optional(TEXT),
    has_videos=st.booleans(),
    video_count=COUNTS,
    has_iframes=st.booleans(),
    iframe_count=COUNTS,
    raw_content=optional(DOCUMENTS),
    extracted_at=optional(MOMENTS),
)
TRANSCRIPTS = st.builds(
    Transcript,
    video_url=TEXT,
    video_id=optional(TEXT),
    platform=optional(TEXT),
    transcript_text=optional(TEXT),
    transcript_json=optional(DOCUMENTS),
    duration=optional(NUMBERS),
    language=optional(TEXT),
    extracted_at=optional(MOMENTS),
)
WORKFLOWS = st.builds(
    Workflow,
    workflow_id=TEXT.filter(bool),
    url=TEXT.filter(bool),
    extracted_at=optional(MOMENTS),
    updated_at=optional(MOMENTS),
    processing_time=optional(NUMBERS),
    quality_score=optional(NUMBERS),
    layer1_success=st.booleans(),
    layer2_success=st.booleans(),
    layer3_success=st.booleans(),
    error_message=optional(TEXT),
    retry_count=optional(st.integers(0, 2**31 - 1)),
    metadata=optional(METADATA),
    structure=optional(STRUCTURES),
    content=optional(CONTENTS),
    transcripts=optional(st.lists(TRANSCRIPTS, max_size=2).map(tuple)),
)

FIRST = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)


def moment(day: int) -> datetime:
    return FIRST + timedelta(days=day)


def full_workflow() -> Workflow:
    """A workflow in which no field is None and no two values are the same."""
    return Workflow(
        workflow_id="id",
        url="https://page",
        extracted_at=moment(1),
        updated_at=moment(2),
        processing_time=1.5,
        quality_score=87.5,
        error_message="half of it",
        retry_count=3,
        metadata=Metadata(
            title="title",
            description="description",
            use_case="use case",
            author_name="author",
            author_url="https://author",
            views=11,
            shares=12,
            categories=("category",),
            tags=("tag", "other"),
            workflow_created_at=moment(3),
            workflow_updated_at=moment(4),
            raw_metadata=Json({"raw": "metadata"}),
            extracted_at=moment(5),
        ),
        structure=Structure(
            node_count=21,
            connection_count=22,
            node_types=("node", "type"),
            extraction_type="full",
            fallback_used=True,
            workflow_json=Json({"nodes": []}),
            extracted_at=moment(6),
        ),
        content=Content(
            explainer_text="explainer",
            explainer_html="<p>explainer</p>",
            setup_instructions="set it up",
            use_instructions="use it",
            has_videos=True,
            video_count=31,
            has_iframes=True,
            iframe_count=32,
            raw_content=Json({"raw": "content"}),
            extracted_at=moment(7),
        ),
        transcripts=(
            Transcript(
                video_url="https://video",
                video_id="video",
                platform="youtube",
                transcript_text="spoken",
                transcript_json=Json([{"text": "spoken"}]),
                duration=41.5,
                language="en",
                extracted_at=moment(8),
            ),
        ),
    )


def spelt(part: Any) -> str:
    """The hashed fields of a part, down to the spelling of its documents."""
    values = part.model_dump(exclude={"extracted_at"})
    return repr({name: value.raw if isinstance(value, Json) else value for name, value in values.items()})
