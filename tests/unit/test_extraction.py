"""Extraction results become workflows: every field in its column, nothing lost in silence."""

from __future__ import annotations

import copy
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from workflow_store.errors import InvalidRecord
from workflow_store.models import Content, Metadata, Structure, Transcript, Workflow
from workflow_store.models.fields import Fields, read_moment

URL = "https://n8n.io/workflows/2462"
BODY = {
    "nodes": [{"name": "a", "type": "t.two"}, {"name": "b", "type": "t.one"}, {"name": "c", "type": "t.two"}],
    "connections": {
        "a": {"main": [[{"node": "b"}, {"node": "c"}], [{"node": "c"}]]},
        "b": {"ai_tool": [[{"node": "c"}]], "main": [[], None]},
    },
}


def flat(**members: Any) -> dict[str, Any]:
    return {
        "processing_time": 14.5,
        "quality_score": 85.3,
        "layers": {
            "layer1": {
                "success": True,
                "title": "Title",
                "description": "Description",
                "use_case": "Use",
                "author": {"name": "Ada", "url": "https://example.org/ada"},
                "categories": ["Sales"],
                "tags": ["email"],
                "views": 100,
                "shares": 10,
                "created_at": "2025-01-01T00:00:00",
                "updated_at": "2025-02-01T12:00:00Z",
                "extraction_time": 2.5,
            },
            "layer2": {
                "success": True,
                "node_count": 5,
                "connection_count": 4,
                "node_types": ["start", "httpRequest"],
                "extraction_type": "full",
                "fallback_used": True,
                "data": {"nodes": [], "connections": {}},
            },
            "layer3": {
                "success": True,
                "explainer_text": "Text",
                "explainer_html": "<p>Text</p>",
                "setup_instructions": "Set up",
                "use_instructions": "Use it",
                "has_videos": True,
                "videos": [
                    {
                        "url": "https://youtu.be/x",
                        "video_id": "x",
                        "platform": "youtube",
                        "transcript": {"text": "Hello", "duration": 300, "language": "en"},
                    },
                    {"url": "https://vimeo.com/1"},
                ],
                "has_iframes": True,
                "iframe_count": 1,
            },
        },
    } | members


def nested(**members: Any) -> dict[str, Any]:
    return {
        "success": True,
        "workflow_id": "2462",
        "url": URL,
        "layers": {
            "layer1": {
                "success": True,
                "data": {
                    "title": "Title",
                    "description": "Description",
                    "author": "Ada",
                    "use_case": "Use",
                    "primary_category": "AI",
                    "secondary_categories": ["Sales", "AI"],
                    "node_tags": ["telegram", "ai"],
                    "general_tags": ["ai"],
                    "difficulty_level": "hard",
                    "views": 3_000_000_000,
                    "upvotes": 12,
                    "created_date": "2025-01-01",
                    "updated_date": "2025-01-02T03:04:05+02:00",
                    "setup_instructions": "Set up",
                },
                "extraction_time": 1.5,
                "error": None,
            },
            "layer2": {
                "success": True,
                "data": {"id": 2462, "name": "Title", "workflow": BODY, "user": {"username": "ada"}, "views": 7},
                "extraction_type": "partial",
                "fallback_used": False,
                "error": None,
            },
            "layer3": {
                "success": True,
                "data": {
                    "introduction": "Intro",
                    "overview": "Overview",
                    "tutorial_text": "",
                    "tutorial_sections": [{"title": "One", "content": "First"}, "Second"],
                    "step_by_step": ["Open", {"title": "Run", "description": "the node"}],
                    "video_urls": ["https://www.youtube.com/watch?v=x"],
                },
                "errors": [],
                "metadata": {"pages": 1},
            },
        },
        "multimodal": {"images_found": 2, "video_urls": ["https://player.vimeo.com/video/9"]},
        "transcripts": {
            "videos_found": 2,
            "videos_successful": 1,
            "results": [
                {
                    "video_id": "x",
                    "video_url": "https://www.youtube.com/watch?v=x",
                    "success": True,
                    "transcript": "Hello",
                    "error": None,
                },
                {
                    "video_id": "9",
                    "video_url": "https://player.vimeo.com/video/9",
                    "success": False,
                    "transcript": None,
                    "error": "no captions",
                },
            ],
        },
        "validation": {"layer1": {"score": 90, "issues": []}},
        "quality": {"overall_score": 87.5, "classification": "Good"},
        "extraction_time": 31.2,
        "errors": [],
        "timestamp": "2025-03-01T10:00:00",
    } | members


def read(result: Any) -> Workflow:
    return Workflow.from_extraction_result("2462", URL, result)


def with_layer1(**fields: Any) -> Workflow:
    return read({"layers": {"layer1": {"success": True, **fields}}})


def metadata_of(workflow: Workflow) -> Metadata:
    assert workflow.metadata is not None
    return workflow.metadata


def structure_of(workflow: Workflow) -> Structure:
    assert workflow.structure is not None
    return workflow.structure


def content_of(workflow: Workflow) -> Content:
    assert workflow.content is not None
    return workflow.content


def raw_metadata(workflow: Workflow) -> Any:
    document = metadata_of(workflow).raw_metadata
    assert document is not None
    return document.value


def test_every_field_of_the_flat_form_lands_in_its_column() -> None:
    result = flat()

    workflow = read(result)

    assert (workflow.workflow_id, workflow.url) == ("2462", URL)
    assert (workflow.processing_time, workflow.quality_score) == (14.5, 85.3)
    assert (workflow.layer1_success, workflow.layer2_success, workflow.layer3_success) == (True, True, True)
    assert workflow.error_message is None
    assert metadata_of(workflow).model_dump(exclude={"raw_metadata", "extracted_at"}) == {
        "title": "Title",
        "description": "Description",
        "use_case": "Use",
        "author_name": "Ada",
        "author_url": "https://example.org/ada",
        "views": 100,
        "shares": 10,
        "categories": ("Sales",),
        "tags": ("email",),
        "workflow_created_at": datetime(2025, 1, 1, tzinfo=UTC),
        "workflow_updated_at": datetime(2025, 2, 1, 12, tzinfo=UTC),
    }
    assert structure_of(workflow).model_dump(exclude={"workflow_json", "extracted_at"}) == {
        "node_count": 5,
        "connection_count": 4,
        "node_types": ("start", "httpRequest"),
        "extraction_type": "full",
        "fallback_used": True,
    }
    assert content_of(workflow).model_dump(exclude={"raw_content", "extracted_at"}) == {
        "explainer_text": "Text",
        "explainer_html": "<p>Text</p>",
        "setup_instructions": "Set up",
        "use_instructions": "Use it",
        "has_videos": True,
        "video_count": 2,
        "has_iframes": True,
        "iframe_count": 1,
    }
    assert workflow.transcripts == (
        Transcript(
            video_url="https://youtu.be/x",
            video_id="x",
            platform="youtube",
            transcript_text="Hello",
            duration=300,
            language="en",
        ),
    )
    assert workflow.notices == ()


def test_the_flat_form_keeps_whole_layers_as_documents() -> None:
    result = flat()

    workflow = read(result)

    assert raw_metadata(workflow) == result["layers"]["layer1"]
    document = content_of(workflow).raw_content
    assert document is not None
    assert document.value == result["layers"]["layer3"]
    body = structure_of(workflow).workflow_json
    assert body is not None
    assert body.value == {"nodes": [], "connections": {}}


def test_every_field_of_the_nested_form_lands_in_its_column() -> None:
    workflow = read(nested())

    moment = datetime(2025, 3, 1, 10, tzinfo=UTC)
    assert (workflow.processing_time, workflow.quality_score, workflow.extracted_at) == (31.2, 87.5, moment)
    assert metadata_of(workflow).model_dump(exclude={"raw_metadata"}) == {
        "title": "Title",
        "description": "Description",
        "use_case": "Use",
        "author_name": "Ada",
        "author_url": None,
        "views": 3_000_000_000,
        "shares": 12,
        "categories": ("AI", "Sales"),
        "tags": ("ai", "telegram"),
        "workflow_created_at": datetime(2025, 1, 1, tzinfo=UTC),
        "workflow_updated_at": datetime(2025, 1, 2, 1, 4, 5, tzinfo=UTC),
        "extracted_at": moment,
    }
    assert structure_of(workflow).model_dump(exclude={"workflow_json"}) == {
        "node_count": 3,
        "connection_count": 4,
        "node_types": ("t.one", "t.two"),
        "extraction_type": "partial",
        "fallback_used": False,
        "extracted_at": moment,
    }
    body = structure_of(workflow).workflow_json
    assert body is not None
    assert body.value == BODY
    content = content_of(workflow)
    assert content.explainer_text == "Intro\n\nOverview\n\nOne\nFirst\n\nSecond"
    assert content.setup_instructions == "Set up"
    assert content.use_instructions == "Open\n\nRun\nthe node"
    assert (content.has_videos, content.video_count) == (True, 2)
    assert (content.has_iframes, content.iframe_count) == (False, 0)
    assert workflow.transcripts == (
        Transcript(
            video_url="https://www.youtube.com/watch?v=x",
            video_id="x",
            platform="youtube",
            transcript_text="Hello",
            extracted_at=moment,
        ),
    )


def test_what_has_no_column_is_kept_beside_layer_1() -> None:
    result = nested()

    raw = raw_metadata(read(result))

    kept = raw.pop("pipeline")
    assert raw == result["layers"]["layer1"]
    assert kept == {
        "success": True,
        "multimodal": result["multimodal"],
        "validation": result["validation"],
        "quality": result["quality"],
        "layer2": {"data": {"id": 2462, "name": "Title", "user": {"username": "ada"}, "views": 7}},
        "transcripts": {
            "videos_found": 2,
            "videos_successful": 1,
            "results": [result["transcripts"]["results"][1]],
        },
    }


def test_what_has_no_column_is_kept_beside_layer_3_where_layer_1_failed() -> None:
    result = nested()
    result["layers"]["layer1"] = {"success": False, "error": "timeout", "data": {"title": "Half"}}

    workflow = read(result)

    assert workflow.metadata is None
    document = content_of(workflow).raw_content
    assert document is not None
    assert document.value["pipeline"]["quality"] == {"overall_score": 87.5, "classification": "Good"}
    assert document.value["pipeline"]["layer1"]["data"] == {"title": "Half"}
    assert workflow.error_message == "timeout"


def test_what_no_layer_can_hold_is_told_in_a_notice() -> None:
    result = {"layers": {"layer1": None, "layer2": None, "layer3": None}, "quality": None, "validation": {"x": 1}}

    workflow = read(result)

    assert workflow.notices == ('not stored, for want of a layer to hold it: {"validation":{"x":1}}',)


def test_a_key_named_pipeline_in_a_layer_stays() -> None:
    workflow = read({"more": 1, "layers": {"layer1": {"success": True, "pipeline": "mine"}}})

    assert raw_metadata(workflow) == {"success": True, "pipeline": "mine", "pipeline_": {"more": 1}}


@pytest.mark.parametrize("layers", [{"layer1": None, "layer2": None, "layer3": None}, {}, None])
def test_a_crashed_scrape_is_stored_with_its_errors_and_false_flags(layers: Any) -> None:
    workflow = read({"layers": layers, "errors": ["boom", "boom", {"code": 5}, None], "retry_count": 2})

    assert (workflow.layer1_success, workflow.layer2_success, workflow.layer3_success) == (False, False, False)
    assert workflow.error_message == 'boom; {"code":5}'
    assert workflow.retry_count == 2
    assert workflow.transcripts is None


def test_errors_of_layers_follow_those_of_the_result() -> None:
    workflow = read(
        {
            "errors": "first",
            "layers": {
                "layer1": {"success": False, "error": "second"},
                "layer3": {"success": False, "errors": ["third"]},
            },
        }
    )

    assert workflow.error_message == "first; second; third"
    assert workflow.notices == ()


@pytest.mark.parametrize(
    ("layer", "stored"),
    [
        ({"success": True}, True),
        ({"success": "true"}, True),
        ({"success": 1}, True),
        ({"data": {"title": "T"}}, True),
        ({"success": None, "data": {"title": "T"}}, True),
        ({"success": False, "title": "T"}, False),
        ({"success": "perhaps", "data": {"title": "T"}}, False),
        ({"title": "T"}, False),
        ({}, False),
    ],
)
def test_a_part_is_built_only_for_a_layer_that_succeeded(layer: dict[str, Any], stored: bool) -> None:
    workflow = read({"layers": {"layer1": layer}})

    assert (workflow.metadata is not None) is stored
    assert workflow.layer1_success is stored


@pytest.mark.parametrize(
    ("given", "taken"),
    [("12", 12), (" -3 ", -3), (12.0, 12), (Decimal("12.0"), 12), (3_000_000_000, 3_000_000_000), (0, 0)],
)
def test_a_count_is_converted_where_nothing_is_lost(given: Any, taken: int) -> None:
    workflow = with_layer1(views=given)

    assert metadata_of(workflow).views == taken
    assert workflow.notices == ()


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(10**5_000, id="5001 digits"),
        Decimal("1e400"),
        "many",
        "1,234",
        "1.5",
        "",
        "9" * 30,
        1.5,
        True,
        2**70,
        -(2**63) - 1,
        [1],
        Decimal("0.5"),
        1e300,
    ],
)
def test_a_count_that_does_not_fit_is_none_and_noticed(given: Any) -> None:
    workflow = with_layer1(views=given)

    assert metadata_of(workflow).views is None
    assert len(workflow.notices) == 1
    assert workflow.notices[0].startswith("layer1.views: ")


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("2025-01-01T00:00:00Z", datetime(2025, 1, 1, tzinfo=UTC)),
        ("2025-01-01T00:00:00.5+01:00", datetime(2024, 12, 31, 23, 0, 0, 500_000, tzinfo=UTC)),
        (datetime(2025, 1, 1), datetime(2025, 1, 1, tzinfo=UTC)),  # noqa: DTZ001  # naive on purpose
        (date(2025, 1, 1), datetime(2025, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_date_is_taken_as_utc(given: Any, taken: datetime) -> None:
    assert metadata_of(with_layer1(created_at=given)).workflow_created_at == taken


@pytest.mark.parametrize(
    "given",
    ["last week", "0000-01-01", "10000-01-01", "infinity", "0001-01-01T00:00:00+05:00", 1_700_000_000, "", {"d": 1}],
)
def test_a_date_that_is_none_leaves_the_record_and_a_notice(given: Any) -> None:
    workflow = with_layer1(created_at=given, title="Kept")

    assert metadata_of(workflow).workflow_created_at is None
    assert metadata_of(workflow).title == "Kept"
    assert raw_metadata(workflow)["created_at"] == given
    assert len(workflow.notices) == 1
    assert workflow.notices[0].startswith("layer1.created_at: ")


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (42, "42"),
        (10**400, "1" + "0" * 400),
        (Decimal("1e400"), "1E+400"),
        (Decimal("1.50"), "1.50"),
        ("", ""),
        ("x", "x"),
    ],
)
def test_text_is_converted_where_nothing_is_lost(given: Any, taken: str) -> None:
    assert metadata_of(with_layer1(title=given)).title == taken


@pytest.mark.parametrize("given", [["a"], {"a": 1}, True, pytest.param(10**5_000, id="5001 digits")])
def test_text_that_is_something_else_is_none_and_noticed(given: Any) -> None:
    workflow = with_layer1(title=given)

    assert metadata_of(workflow).title is None
    assert workflow.notices[0].startswith("layer1.title: ")
    assert raw_metadata(workflow)["title"] == given


def test_names_come_from_strings_and_objects_and_the_rest_is_noticed() -> None:
    workflow = with_layer1(tags=["a", {"name": "b"}, {"id": 1}, None, 7, "a"], categories="One")

    assert metadata_of(workflow).tags == ("a", "b", "7", "a")
    assert metadata_of(workflow).categories == ("One",)
    assert workflow.notices == ('layer1.tags: {"id":1} is not a name', "layer1.tags: null is not a name")


def test_absent_names_are_none_and_an_empty_list_is_empty() -> None:
    workflow = with_layer1(tags=[])

    assert metadata_of(workflow).tags == ()
    assert metadata_of(workflow).categories is None


@pytest.mark.parametrize(
    ("author", "name", "url"),
    [
        ("Ada", "Ada", None),
        ({"name": "Ada"}, "Ada", None),
        ({"url": "https://a"}, None, "https://a"),
        (None, None, None),
    ],
)
def test_an_author_is_a_text_or_an_object(author: Any, name: str | None, url: str | None) -> None:
    metadata = metadata_of(with_layer1(author=author))

    assert (metadata.author_name, metadata.author_url) == (name, url)


def test_scores_and_times_that_do_not_fit_are_noticed() -> None:
    workflow = read(
        {"layers": {}, "processing_time": "fast", "quality_score": math.nan, "retry_count": -1, "timestamp": "now"}
    )

    assert (workflow.processing_time, workflow.quality_score, workflow.retry_count) == (None, None, None)
    assert [notice.split(":")[0] for notice in workflow.notices] == [
        "timestamp",
        "processing_time",
        "quality_score",
        "retry_count",
    ]


@pytest.mark.parametrize(("given", "taken"), [("1.5", 1.5), (2, 2.0), (Decimal("0.25"), 0.25)])
def test_a_number_is_read_from_text_and_decimals(given: Any, taken: float) -> None:
    assert read({"layers": {}, "processing_time": given}).processing_time == taken


@pytest.mark.parametrize("given", [True, [1], 10**400, "inf"])
def test_a_number_that_is_none_is_noticed(given: Any) -> None:
    workflow = read({"layers": {}, "processing_time": given})

    assert workflow.processing_time is None
    assert len(workflow.notices) == 1


def test_the_own_score_of_a_result_goes_before_that_of_its_quality() -> None:
    assert read(nested(quality_score=1.0)).quality_score == 1.0
    assert read(nested(quality=None)).quality_score is None


@pytest.mark.parametrize(
    ("members", "transcripts"),
    [
        ({}, None),
        ({"has_videos": False}, ()),
        ({"videos": []}, ()),
        ({"data": {"video_urls": []}}, ()),
        ({"has_videos": True, "videos": [{"url": "https://youtu.be/x"}]}, None),
        ({"has_videos": False, "videos": ["https://youtu.be/x"]}, None),
    ],
)
def test_no_transcripts_are_told_from_none_known(members: dict[str, Any], transcripts: Any) -> None:
    assert read({"layers": {"layer3": {"success": True, **members}}}).transcripts == transcripts


@pytest.mark.parametrize(
    ("stage", "transcripts"),
    [
        (None, None),
        ({"videos_found": 0, "results": []}, ()),
        ({"videos_found": 2}, None),
        ({"results": []}, ()),
        ({"results": [{"video_url": "https://youtu.be/x", "success": False, "error": "no"}]}, None),
    ],
)
def test_the_transcript_stage_says_whether_there_are_videos(stage: Any, transcripts: Any) -> None:
    assert read({"layers": {}, "transcripts": stage}).transcripts == transcripts


def test_a_stage_of_another_shape_is_kept() -> None:
    kept = raw_metadata(read({"layers": {"layer1": {"success": True}}, "transcripts": "skipped"}))["pipeline"]
    listed = read({"layers": {}, "transcripts": [{"video_url": "https://youtu.be/x", "transcript": "Hi"}]})

    assert kept == {"transcripts": "skipped"}
    assert listed.transcripts is not None
    assert listed.transcripts[0].transcript_text == "Hi"


def test_a_transcript_without_a_url_is_noticed_and_kept() -> None:
    stage = {"results": [{"video_id": "x", "success": True, "transcript": "Hi"}, "odd"]}

    workflow = read({"layers": {"layer1": {"success": True}}, "transcripts": stage})

    assert workflow.transcripts is None
    assert raw_metadata(workflow)["pipeline"]["transcripts"] == stage
    assert workflow.notices == ('transcripts.results[0].transcript: "Hi" is not stored: its video has no URL',)


def test_a_video_told_twice_has_one_transcript() -> None:
    result = nested()
    result["layers"]["layer3"]["data"]["videos"] = [
        {"url": "https://www.youtube.com/watch?v=x", "transcript": "again"},
        {"url": "https://example.org/v", "transcript": {"text": "other", "segments": [1]}, "duration": "9"},
    ]

    transcripts = read(result).transcripts

    assert transcripts is not None
    assert [transcript.transcript_text for transcript in transcripts] == ["Hello", "other"]
    assert (transcripts[1].platform, transcripts[1].duration) == (None, 9.0)
    assert transcripts[1].transcript_json is not None
    assert transcripts[1].transcript_json.value == {"text": "other", "segments": [1]}


@pytest.mark.parametrize(
    ("url", "platform"),
    [
        ("https://www.youtube.com/watch?v=x", "youtube"),
        ("youtu.be/x", "youtube"),
        ("https://player.vimeo.com/video/1", "vimeo"),
        ("https://notyoutube.com/x", None),
        ("https://[broken", None),
    ],
)
def test_the_platform_is_told_from_the_host(url: str, platform: str | None) -> None:
    videos = [{"url": url, "transcript": "t"}]

    transcripts = read({"layers": {"layer3": {"success": True, "videos": videos}}}).transcripts

    assert transcripts is not None
    assert transcripts[0].platform == platform


def test_counts_of_iframes_and_videos_are_taken_from_what_is_there() -> None:
    layer = {"success": True, "iframes": ["a", "b"], "video_count": 3}

    content = content_of(read({"layers": {"layer3": layer}}))

    assert (content.has_iframes, content.iframe_count, content.has_videos, content.video_count) == (True, 2, True, 3)


def test_prose_that_is_no_text_is_noticed() -> None:
    workflow = read({"layers": {"layer3": {"success": True, "setup_instructions": ["Do", {"n": 1}], "overview": 1}}})

    assert content_of(workflow).setup_instructions == "Do"
    assert content_of(workflow).explainer_text == "1"
    assert workflow.notices == ('layer3.setup_instructions: {"n":1} is not text',)


@pytest.mark.parametrize("data", [{"workflow": {"id": 1, "workflow": BODY}}, {"workflow": BODY}, BODY])
def test_the_workflow_is_found_however_deep_the_answer_holds_it(data: Any) -> None:
    structure = structure_of(read({"layers": {"layer2": {"success": True, "data": data}}}))

    assert structure.workflow_json is not None
    assert structure.workflow_json.value == BODY
    assert structure.node_count == 3


@pytest.mark.parametrize(("data", "stored"), [(None, False), ([1], True), ({"nodes": "x", "connections": []}, True)])
def test_a_body_of_another_shape_is_kept_and_not_counted(data: Any, stored: bool) -> None:
    structure = structure_of(read({"layers": {"layer2": {"success": True, "data": data}}}))

    assert (structure.workflow_json is not None) is stored
    assert (structure.node_count, structure.connection_count, structure.node_types) == (None, None, None)


@pytest.mark.parametrize(
    ("connections", "edges"),
    [
        ({"a": None, "b": {"main": None}, "c": {"main": [[None, "x", {"node": "a"}]]}}, 1),
        ({"a": {"main": [{"node": "b"}, 5]}}, 1),
        ({}, 0),
    ],
)
def test_odd_connections_are_counted_as_far_as_they_go(connections: Any, edges: int) -> None:
    data = {"nodes": [None, {"type": 5}, {"type": "t"}], "connections": connections}

    structure = structure_of(read({"layers": {"layer2": {"success": True, "data": data}}}))

    assert (structure.connection_count, structure.node_types) == (edges, ("t",))


def test_python_values_in_a_layer_become_json() -> None:
    moment = datetime(2025, 1, 1, tzinfo=UTC)

    workflow = with_layer1(
        seen=moment, days={date(2025, 1, 2), date(2025, 1, 1)}, exact=Decimal("1.10"), at={moment: (1, 2)}
    )

    raw = raw_metadata(workflow)
    assert raw["seen"] == "2025-01-01T00:00:00+00:00"
    assert raw["days"] == ["2025-01-01", "2025-01-02"]
    assert str(raw["exact"]) in ("1.1", "1.10")
    assert raw["at"] == {"2025-01-01T00:00:00+00:00": [1, 2]}


def test_a_set_of_names_is_sorted() -> None:
    assert metadata_of(with_layer1(tags={"b", "a"})).tags == ("a", "b")


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (math.nan, "layers.layer1.extra.deep[0]"),
        (Decimal("Infinity"), "layers.layer1.extra.deep[0]"),
        (b"bytes", "layers.layer1.extra.deep[0]"),
        ({(1, 2): 3}, "layers.layer1.extra.deep[0]"),
    ],
)
def test_what_json_can_not_hold_is_refused_with_its_place(value: Any, field: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        with_layer1(extra={"deep": [value], "when": datetime(2025, 1, 1, tzinfo=UTC)})

    assert caught.value.field == field


def test_a_cycle_is_refused() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)

    with pytest.raises(InvalidRecord) as caught:
        with_layer1(extra=cycle, title=cycle)

    assert caught.value.field == "layers.layer1"


@pytest.mark.parametrize(
    ("workflow_id", "url", "result", "field"),
    [
        ("", URL, {}, "workflow_id"),
        ("x" * 1_025, URL, {}, "workflow_id"),
        (5, URL, {}, "workflow_id"),
        ("1", "", {}, "url"),
        ("1", None, {}, "url"),
        ("1", URL, None, "result"),
        ("1", URL, ["layers"], "result"),
    ],
)
def test_a_wrong_call_is_refused_by_field(workflow_id: Any, url: Any, result: Any, field: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        Workflow.from_extraction_result(workflow_id, url, result)

    assert caught.value.field == field


def test_layers_of_another_shape_are_noticed() -> None:
    workflow = read({"layers": {"layer1": ["x"], "layer9": 1}})
    nothing = read({"layers": "none"})

    assert workflow.notices[0] == 'layers.layer1: ["x"] is not an object'
    assert "layer9" in workflow.notices[1]
    assert nothing.notices == ('layers: "none" is not an object',)


def test_the_result_is_not_changed() -> None:
    result = nested()
    before = copy.deepcopy(result)

    read(result)

    assert result == before


def test_an_id_of_more_than_fifty_characters_is_fine() -> None:
    assert Workflow.from_extraction_result("x" * 51, URL, flat()).workflow_id == "x" * 51


def test_a_long_value_is_cut_in_a_notice() -> None:
    notices: list[str] = []
    fields = Fields({"flag": "x" * 500, "odd": {1, 2}}, "", notices)

    assert fields.flag("flag") is None
    assert fields.text("odd") is None
    assert notices[0].endswith("… (502 characters) is neither true nor false")
    assert notices[1] == "odd: {1, 2} is not text"


def test_a_time_of_day_is_no_date() -> None:
    assert read_moment("12:00") is None


@pytest.mark.parametrize("value", [math.nan, Decimal("NaN"), Decimal("Infinity")])
def test_a_number_that_is_none_is_no_text(value: object) -> None:
    notices: list[str] = []

    assert Fields({"title": value}, "", notices).text("title") is None
    assert len(notices) == 1
