"""Listings: what may be asked for, how a page is named, and that every question has its fragments."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.records import moment
from workflow_store import resources
from workflow_store.errors import InvalidCursor, InvalidField
from workflow_store.queries.query import join
from workflow_store.queries.rows import WorkflowRow
from workflow_store.repository.listing import (
    FILTERS,
    LISTED_PARTS,
    MAX_LIMIT,
    NULLABLE,
    ORDERS,
    STREAMED_PARTS,
    Listing,
    check_filters,
    check_limit,
    check_parts,
    listing,
    whole_number,
)

KEYS: Final[dict[str, Any]] = {
    "extracted_at": moment(1),
    "updated_at": datetime(2025, 1, 1, 0, 0, 0, 1, UTC),
    "quality_score": 87.30000000000001,
    "views": 2**63 - 1,
    "title": "“é😀”\n\u2028",
    "node_count": -1,
}
COLUMNS: Final = {"views": "views_key", "title": "title_key", "node_count": "node_count_key"}
# A value for each filter that is allowed, and how it is kept.
VALUES: Final[dict[str, Any]] = {
    "a bool": True,
    "a float": 12.5,
    "a whole number of 64 bits": 7,
    "a datetime": moment(3),
}


def value_for(name: str) -> Any:
    return VALUES.get(FILTERS[name].expected, ("a", "b"))


def asked(**question: Any) -> Listing:
    usual: dict[str, Any] = {"order_by": "extracted_at", "order_desc": True, "limit": 10, "offset": None}
    return listing(**(usual | {"after": None, "filters": {}} | question))


def row(order_by: str, key: Any, workflow_id: str = "w1") -> WorkflowRow:
    values: dict[str, Any] = dict.fromkeys(WorkflowRow._fields)
    return WorkflowRow(**(values | {"workflow_id": workflow_id, COLUMNS.get(order_by, order_by): key}))


def forged(*parts: Any, order_by: str = "extracted_at") -> str:
    """A cursor of the right listing with another place in it."""
    honest = asked(order_by=order_by).cursor_behind(row(order_by, KEYS[order_by]))
    binding = json.loads(base64.urlsafe_b64decode(honest + "=" * (-len(honest) % 4)))[0]
    return base64.urlsafe_b64encode(json.dumps([binding, *parts]).encode()).rstrip(b"=").decode()


def test_an_unknown_order_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidField) as caught:
        asked(order_by="workflow_id; DROP TABLE workflows")

    assert caught.value.field == "order_by"
    assert caught.value.allowed == tuple(sorted(ORDERS))
    assert "title" in str(caught.value)


def test_an_unknown_filter_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidField) as caught:
        asked(filters={"min_qualty": 5})

    assert caught.value.field == "min_qualty"
    assert caught.value.allowed == tuple(sorted(FILTERS))


@pytest.mark.parametrize("limit", [0, -1, MAX_LIMIT + 1, True, "5", 5.0, None, 2**70])
def test_a_page_has_1_to_1000_rows(limit: Any) -> None:
    with pytest.raises(InvalidField, match=r"^limit: 1 to 1,000, not "):
        asked(limit=limit)


@pytest.mark.parametrize("limit", [1, 1_000])
def test_the_bounds_of_a_page_are_allowed(limit: int) -> None:
    assert check_limit(limit) == asked(limit=limit).limit == limit


@pytest.mark.parametrize("offset", [-1, True, "5", 0.0, 2**63])
def test_an_offset_is_a_whole_number_the_server_can_take(offset: Any) -> None:
    with pytest.raises(InvalidField, match=r"^offset: "):
        asked(offset=offset)


@pytest.mark.parametrize("offset", [0, 5, 2**63 - 1])
def test_any_offset_from_zero_is_allowed(offset: int) -> None:
    assert asked(offset=offset).offset == offset


def test_an_offset_goes_without_a_cursor() -> None:
    with pytest.raises(InvalidField, match="offset: goes without a cursor"):
        asked(offset=0, after=asked().cursor_behind(row("extracted_at", moment(1))))


def test_a_number_of_any_length_can_be_refused() -> None:
    # repr() of so many digits is an error of Python's own.
    with pytest.raises(InvalidField, match="^limit: "):
        whole_number("limit", 10**5_000, 1, 5)
    with pytest.raises(InvalidField, match="^min_quality: "):
        check_filters({"min_quality": 10**5_000})


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_takes_its_own_type_and_none_leaves_it_out(name: str) -> None:
    assert check_filters({name: value_for(name)}) == {name: value_for(name)}
    assert check_filters({name: None}) == {}


WRONG: Final[dict[str, list[Any]]] = {
    "a bool": [0, 1, "true", 1.0],
    "a float": [True, "5", float("nan"), 10**400],
    "a whole number of 64 bits": [True, "5", 5.0, 2**63],
    "a datetime": ["2025-01-01", 5, datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (name, value)
        for name in FILTERS
        for value in WRONG.get(FILTERS[name].expected, [5, [], {"a": 1}, ["a", 5], "a\x00", "\ud800", b"a"])
    ],
)
def test_a_value_of_another_type_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InvalidField) as caught:
        check_filters({name: value})

    assert caught.value.field == name


def test_filters_stand_in_one_order_whatever_order_they_are_given_in() -> None:
    given_filters = {name: value_for(name) for name in FILTERS}

    assert list(check_filters(dict(reversed(given_filters.items())))) == list(FILTERS)


@pytest.mark.parametrize("include", [["transcript"], "metadatas", ["metadata", ""], [5]])
def test_only_parts_can_be_asked_for(include: Any) -> None:
    with pytest.raises(InvalidField, match="^include: "):
        check_parts(include, LISTED_PARTS)


def test_parts_are_asked_for_by_one_name_or_several() -> None:
    assert check_parts("metadata", LISTED_PARTS) == {"metadata"}
    assert check_parts(["content", "metadata", "content"], LISTED_PARTS) == {"content", "metadata"}
    assert check_parts((), STREAMED_PARTS) == frozenset()


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("order_by", ORDERS)
def test_a_cursor_leads_back_to_its_place(order_by: str, *, descending: bool) -> None:
    key = KEYS[order_by]
    cursor = asked(order_by=order_by, order_desc=descending).cursor_behind(row(order_by, key, "é/“😀”"))

    place = asked(order_by=order_by, order_desc=descending, after=cursor).place

    assert place is not None
    assert (place.key, place.workflow_id, place.absent) == (key, "é/“😀”", False)
    assert type(place.key) is type(key)
    assert cursor.isascii()
    assert not set(cursor) & set("+/=")


@pytest.mark.parametrize("order_by", sorted(NULLABLE))
def test_a_cursor_may_stand_among_the_rows_without_a_key(order_by: str) -> None:
    cursor = asked(order_by=order_by).cursor_behind(row(order_by, None))

    place = asked(order_by=order_by, after=cursor).place

    assert place is not None
    assert (place.key, place.workflow_id, place.absent) == (None, "w1", True)


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
)
def test_a_cursor_keeps_every_digit_and_every_id(score: float, workflow_id: str) -> None:
    cursor = asked(order_by="quality_score").cursor_behind(row("quality_score", score, workflow_id))

    place = asked(order_by="quality_score", after=cursor).place

    assert place is not None
    assert (place.key, place.workflow_id) == (score, workflow_id)


def test_a_cursor_belongs_to_its_order_its_direction_and_its_filters() -> None:
    filters = {"min_quality": 5, "layer1_success": True}
    cursor = asked(filters=filters).cursor_behind(row("extracted_at", moment(1)))

    assert asked(filters=dict(reversed(filters.items())), after=cursor).place is not None
    assert asked(filters=filters | {"max_quality": None}, limit=500, after=cursor).place is not None
    others: tuple[dict[str, Any], ...] = (
        {"order_by": "updated_at", "filters": filters},
        {"order_desc": False, "filters": filters},
        {"filters": {}},
        {"filters": {"min_quality": 5.5, "layer1_success": True}},
        {"filters": {"max_quality": 5, "layer1_success": True}},
    )
    for other in others:
        with pytest.raises(InvalidCursor, match="another order or other filters"):
            asked(**other, after=cursor)


HONEST: Final = asked().cursor_behind(row("extracted_at", moment(1)))


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "\ud800",
        "%%%%",
        HONEST[:-3],
        HONEST[1:],
        HONEST + HONEST,
        HONEST.swapcase(),
        "A" * 1_000_000,
        base64.urlsafe_b64encode(b"[" * 100_000).decode(),
        base64.urlsafe_b64encode(b"[1,2]").decode(),
        base64.urlsafe_b64encode(b'{"a":1,"b":2,"c":3}').decode(),
        base64.urlsafe_b64encode(b"[[],1," + b"9" * 5_000 + b"]").decode(),
        5,
        b"abc",
    ],
    ids=range(16),
)
def test_a_damaged_cursor_is_refused(cursor: Any) -> None:
    with pytest.raises(InvalidCursor):
        asked(after=cursor)


@pytest.mark.parametrize(
    ("order_by", "parts"),
    [
        ("extracted_at", (None, "w")),
        ("extracted_at", (5, "w")),
        ("extracted_at", ("yesterday", "w")),
        ("extracted_at", ("9999-12-31T23:59:59-01:00", "w")),
        ("extracted_at", ("2025-01-01T00:00:00+00:00", 5)),
        ("extracted_at", ("2025-01-01T00:00:00+00:00", "w\x00")),
        ("extracted_at", ("2025-01-01T00:00:00+00:00", "\ud800")),
        ("quality_score", (True, "w")),
        ("quality_score", ("5", "w")),
        ("quality_score", (10**400, "w")),
        ("views", (1.5, "w")),
        ("views", (True, "w")),
        ("views", (2**63, "w")),
        ("node_count", ("5", "w")),
        ("title", (5, "w")),
        ("title", ("a\x00", "w")),
        ("title", ("\ud800", "w")),
        ("title", (None, 5)),
        ("title", ([], "w")),
    ],
)
def test_a_forged_place_is_refused(order_by: str, parts: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidCursor, match="the cursor is damaged"):
        asked(order_by=order_by, after=forged(*parts, order_by=order_by))


def everything_asked(order_by: str, descending: bool) -> list[Listing]:
    """The listing with all filters and with none, at its start, behind a key and behind a row without one."""
    filters = {name: value_for(name) for name in FILTERS}
    found = []
    for given_filters in ({}, filters):
        question = {"order_by": order_by, "order_desc": descending, "filters": given_filters}
        first = asked(**question)
        places = [None, first.cursor_behind(row(order_by, KEYS[order_by]))]
        if order_by in NULLABLE:
            places.append(first.cursor_behind(row(order_by, None)))
        found += [asked(**question, after=place) for place in places]
    return found


@pytest.mark.parametrize(("order_by", "descending"), [*product(ORDERS, (True, False))])
def test_every_question_has_its_fragments_and_as_many_values_as_parameters(order_by: str, *, descending: bool) -> None:
    for question in everything_asked(order_by, descending):
        statements = [question.skipping(LISTED_PARTS, 11), question.ids(), question.of_ids(["a"], LISTED_PARTS)]
        for absent in (False, True) if order_by in NULLABLE else (False,):
            statements += [
                question.page(LISTED_PARTS, 11, absent=absent),
                question.walking(LISTED_PARTS, 11, absent=absent),
                question.gathering(LISTED_PARTS, 11, absent=absent),
            ]
        for fragments in statements:
            for name, values in fragments:
                assert numbers_in(resources.statement(name)) == set(range(1, len(values) + 1)), name
            text, arguments = join(fragments)
            assert numbers_in(text) == set(range(1, len(arguments) + 1))


def numbers_in(text: str) -> set[int]:
    code = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    return {int(piece) for part in code.split("$")[1:] if (piece := part[: len(part) - len(part.lstrip("0123456789"))])}


def test_a_listing_by_count_skips_its_offset() -> None:
    skip = ("workflow/list/skip", (11, 30))

    assert skip in asked(offset=30).skipping(LISTED_PARTS, 11)
    assert ("workflow/list/skip", (11, 0)) in asked().skipping(LISTED_PARTS, 11)


@pytest.mark.parametrize("order_by", ORDERS)
def test_only_an_order_whose_key_can_be_absent_looks_for_rows_without_it(order_by: str) -> None:
    assert asked(order_by=order_by).can_lack_key == (order_by in NULLABLE)


@pytest.mark.parametrize(
    ("order_by", "name", "value"),
    [("quality_score", "min_quality", 5.0), ("views", "min_views", 5), ("node_count", "max_nodes", 5)],
)
def test_a_bound_on_the_key_leaves_out_the_rows_without_it(order_by: str, name: str, value: Any) -> None:
    assert not asked(order_by=order_by, filters={name: value}).can_lack_key
    assert asked(order_by="title", filters={name: value}).can_lack_key
