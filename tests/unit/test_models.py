"""Workflows and their parts: what they take, what they make of it, and what they refuse by name."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from workflow_store.models import (
    PARTS,
    Content,
    IngestReport,
    Json,
    Metadata,
    Page,
    Rejected,
    Structure,
    Transcript,
    Workflow,
)
from workflow_store.models.report import KEPT, Outcome

MODELS: tuple[type[BaseModel], ...] = (Metadata, Structure, Content, Transcript, Workflow)
REQUIRED: dict[type[BaseModel], dict[str, Any]] = {
    Transcript: {"video_url": "https://video"},
    Workflow: {"workflow_id": "1", "url": "https://page"},
}


def fields_that_hold(kind: str) -> list[tuple[type[BaseModel], str]]:
    return [
        (model, name)
        for model in MODELS
        for name, field in model.model_json_schema()["properties"].items()
        if kind in str(field)
    ]


def build(model: type[BaseModel], **values: Any) -> Any:
    return model.model_validate(REQUIRED.get(model, {}) | values)


def refusal(model: type[BaseModel], **values: Any) -> tuple[str, ...]:
    with pytest.raises(ValidationError) as caught:
        build(model, **values)
    return tuple(str(step) for step in caught.value.errors()[0]["loc"])


class Vague(tzinfo):
    """A zone that does not know its offset."""

    def utcoffset(self, _moment: datetime | None) -> timedelta | None:
        return None

    dst = utcoffset

    def tzname(self, _moment: datetime | None) -> str | None:
        return None


@pytest.mark.parametrize(("model", "name"), fields_that_hold("date-time"))
@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (datetime(2025, 1, 2, 3, 4, 5, 6), datetime(2025, 1, 2, 3, 4, 5, 6, UTC)),  # noqa: DTZ001
        (datetime(2025, 1, 2, 3, tzinfo=timezone(timedelta(hours=5))), datetime(2025, 1, 1, 22, tzinfo=UTC)),
        (datetime(2025, 1, 2, 3, tzinfo=Vague()), datetime(2025, 1, 2, 3, tzinfo=UTC)),
        ("2025-01-02T03:04:05", datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2025-01-02T03:04:05Z", datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2025-01-02T03:04:05-01:30", datetime(2025, 1, 2, 4, 34, 5, tzinfo=UTC)),
    ],
)
def test_every_time_is_utc_and_a_naive_one_is_taken_as_utc(
    model: type[BaseModel], name: str, given: object, meant: datetime
) -> None:
    moment = getattr(build(model, **{name: given}), name)

    assert moment == meant
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    "moment", ["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00", "last week", "10000-01-01"]
)
def test_a_time_that_utc_can_not_hold_is_refused_by_name(moment: str) -> None:
    assert refusal(Metadata, workflow_created_at=moment) == ("workflow_created_at",)


def test_the_first_and_the_last_year_are_taken() -> None:
    part = Metadata(
        workflow_created_at=datetime(1, 1, 1, 0, 0, 0, 1, UTC),
        workflow_updated_at=datetime(9999, 12, 31, 23, 59, 59, 999_998, UTC),
    )

    assert part.workflow_created_at is not None
    assert part.workflow_created_at.year == 1
    assert part.workflow_updated_at is not None
    assert part.workflow_updated_at.year == 9999


@pytest.mark.parametrize(("model", "name"), [(Metadata, "categories"), (Metadata, "tags"), (Structure, "node_types")])
@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["a", "b"], ("a", "b")),
        (("a",), ("a",)),
        ([{"id": 1, "name": "a"}, "b", {"name": "c"}], ("a", "b", "c")),
        ([], ()),
        (None, None),
    ],
)
def test_names_are_strings_or_objects_with_a_name(
    model: type[BaseModel], name: str, given: object, names: tuple[str, ...] | None
) -> None:
    assert getattr(build(model, **{name: given}), name) == names


@pytest.mark.parametrize("given", ["abc", [1], [None], [{"id": 1}], [{"name": 5}], [["a"]], {"name": "a"}, 7])
def test_names_of_another_kind_are_refused(given: object) -> None:
    assert refusal(Metadata, tags=given)[0] == "tags"


@pytest.mark.parametrize(("model", "name"), fields_that_hold("'integer'"))
@pytest.mark.parametrize("number", [2**70, -(2**70), 2**63, 10**5_000], ids=["2^70", "-2^70", "2^63", "5,001 digits"])
def test_a_number_beyond_a_column_is_refused_by_name(model: type[BaseModel], name: str, number: int) -> None:
    assert refusal(model, **{name: number}) == (name,)


@pytest.mark.parametrize(("model", "name"), fields_that_hold("'integer'"))
def test_a_whole_column_is_allowed(model: type[BaseModel], name: str) -> None:
    assert getattr(build(model, **{name: 2**63 - 1}), name) == 2**63 - 1


def test_counts_may_be_negative_but_retries_not() -> None:
    assert Metadata(views=-(2**63)).views == -(2**63)
    assert refusal(Workflow, retry_count=-1) == ("retry_count",)


@pytest.mark.parametrize(("model", "name"), fields_that_hold("'number'"))
@pytest.mark.parametrize("number", [float("nan"), float("inf"), 10**400], ids=["nan", "inf", "10^400"])
def test_a_number_that_is_none_is_refused_by_name(model: type[BaseModel], name: str, number: float) -> None:
    assert refusal(model, **{name: number}) == (name,)


@pytest.mark.parametrize("workflow_id", ["1", "x" * 1_024, "é" * 512, "😀" * 256, " ", "../x", "a\nb"])
def test_an_id_of_1_to_1024_bytes_is_allowed(workflow_id: str) -> None:
    assert build(Workflow, workflow_id=workflow_id).workflow_id == workflow_id


@pytest.mark.parametrize("workflow_id", ["", "x" * 1_025, "é" * 513, "\ud800" * 342])
def test_an_id_that_no_key_can_hold_is_refused(workflow_id: str) -> None:
    assert refusal(Workflow, workflow_id=workflow_id) == ("workflow_id",)


def test_an_empty_url_is_refused() -> None:
    assert refusal(Workflow, url="") == ("url",)


@pytest.mark.parametrize("model", MODELS)
def test_an_unknown_field_is_refused(model: type[BaseModel]) -> None:
    assert refusal(model, unknown=1) == ("unknown",)


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_frozen(model: type[BaseModel]) -> None:
    record = build(model)
    name = next(iter(model.model_fields))

    with pytest.raises(ValidationError, match="frozen"):
        setattr(record, name, "x")


@pytest.mark.parametrize(
    ("flag", "part"),
    [
        ("layer1_success", {"metadata": Metadata()}),
        ("layer2_success", {"structure": Structure()}),
        ("layer3_success", {"content": Content()}),
    ],
)
@pytest.mark.parametrize("said", [{}, {"false": False}])
def test_a_layer_that_is_there_was_a_success(flag: str, part: dict[str, Any], said: dict[str, bool]) -> None:
    workflow = build(Workflow, **part, **dict.fromkeys((flag,) if said else (), False))

    assert {name: getattr(workflow, name) for name in ("layer1_success", "layer2_success", "layer3_success")} == {
        "layer1_success": False,
        "layer2_success": False,
        "layer3_success": False,
        flag: True,
    }


def test_a_layer_may_be_a_success_without_its_part() -> None:
    assert build(Workflow, layer2_success=True).layer2_success is True


def test_the_parts_are_fields_of_a_workflow() -> None:
    assert Workflow.model_fields.keys() >= PARTS


def test_notices_stand_beside_a_workflow_and_leave_the_first_one_alone() -> None:
    workflow = build(Workflow)

    noticed = workflow.with_notices(("a date that is none",))

    assert workflow.notices == ()
    assert noticed.notices == ("a date that is none",)
    assert noticed.model_dump() == workflow.model_dump()
    assert noticed.to_json() == workflow.to_json()


def test_a_workflow_survives_pickle_and_copies() -> None:
    workflow = build(
        Workflow,
        metadata=Metadata(raw_metadata=Json.trusted(b'{"a": 1e400}')),
        transcripts=(Transcript(video_url="v"),),
    ).with_notices(("n",))

    for twin in (pickle.loads(pickle.dumps(workflow)), copy.deepcopy(workflow), copy.copy(workflow)):
        assert twin == workflow
        assert twin.notices == ("n",)
        assert twin.metadata.raw_metadata.raw == b'{"a": 1e400}'


def test_equality_is_by_value_down_to_the_documents() -> None:
    one = build(Workflow, structure=Structure(workflow_json=Json.trusted(b'{"a": 1, "b": 2.0}')))
    same = build(Workflow, structure=Structure(workflow_json=Json.trusted(b'{"b":2,"a":1}')))
    other = build(Workflow, structure=Structure(workflow_json=Json.trusted(b'{"b":2,"a":true}')))

    assert one == same
    assert one != other


@pytest.mark.parametrize("outcome", ["inserted", "updated", "unchanged"])
def test_a_report_counts_each_outcome(outcome: Outcome) -> None:
    report = IngestReport()

    report.count(outcome)
    report.count(outcome)

    assert getattr(report, outcome) == 2
    assert report.stored == 2


def test_a_report_counts_all_rejections_and_keeps_the_first_hundred() -> None:
    report = IngestReport()

    for number in range(KEPT + 50):
        report.reject(Rejected(f"line {number}", "bad"))
        report.notice(f"notice {number}")

    assert report.rejected == 150
    assert [rejected.source for rejected in report.rejections] == [f"line {number}" for number in range(100)]
    assert report.notices == [f"notice {number}" for number in range(100)]
    assert report.stored == 0


def test_two_reports_share_nothing() -> None:
    IngestReport().reject(Rejected("here", "bad"))

    assert IngestReport().rejections == []


def test_a_page_is_as_long_as_its_items() -> None:
    assert len(Page((1, 2))) == 2
    assert not Page(())
