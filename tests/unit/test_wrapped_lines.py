"""The quick reader of ``{"source", "workflow"}`` gives what the general reader gives, or leaves the line to it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.lines import read
from workflow_store.importers.limits import DEFAULT_LIMITS, Limits
from workflow_store.importers.wrapped import read_wrapped
from workflow_store.models import Rejected, Workflow

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(alphabet='a:"\\é\u2028\x7f😀\x01', max_size=6),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('ab:"', max_size=3), inner),
    max_leaves=8,
)
nodes = st.lists(
    st.fixed_dictionaries({}, optional={"type": st.text("xy", max_size=2), "parameters": values}), max_size=3
)
workflows = st.fixed_dictionaries(
    {"nodes": nodes},
    optional={
        "name": values,
        "id": values,
        "tags": st.lists(st.one_of(scalars, st.fixed_dictionaries({"name": scalars})), max_size=3),
        "meta": st.one_of(values, st.fixed_dictionaries({"templateId": scalars})),
        "connections": st.dictionaries(st.text("n", max_size=2), values, max_size=2),
        "createdAt": st.sampled_from(["2024-01-02T03:04:05Z", "no date", 5, None]),
        "settings": values,
    },
)


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """A line in one of several spellings, now and then with a key that comes twice or something that is no JSON."""
    colon, comma = draw(st.sampled_from([(":", ","), (": ", ", "), (" : ", " , "), ("\t:\n", ",\r")]))
    text = json.dumps(draw(workflows), ensure_ascii=draw(st.booleans()), separators=(comma, colon))
    twice = draw(st.sampled_from(["", "", '"a":1,"a":2', '"\\u0061":{"b":1},"a":{}', '"a\\u003a":1,"b":1,"b":2']))
    if twice:
        text = f'{{"more":{{{twice}}},{text[1:]}'
    odd = draw(st.sampled_from(["", "", ",", "]", "}", "1", '"', "\ufeff", "\\ud800", "1e400"]))
    place = draw(st.integers(0, len(text)))
    source = json.dumps(draw(st.text(max_size=5)), ensure_ascii=False)
    line = f'{{"source"{colon}{source}{comma}"workflow"{colon}{text[:place]}{odd}{text[place:]}}}'
    return line.encode("utf-8", "replace")


def told(record: Any) -> Any:
    if isinstance(record, Workflow):
        structure = record.structure
        document = structure.workflow_json if structure else None
        return record.model_dump(exclude={"structure"}), record.notices, structure, document and document.raw
    assert isinstance(record, Rejected)
    return record


@given(line=lines())
@example(line=b'{"source": "s", "workflow": {"nodes": [], "a": 1, "a": 2}}')
@example(line=b'{"source": "s", "workflow": {"nodes": [], "a": "\\u0000"}}')
@example(line=b'{"source": "s", "workflow": {"nodes": [], "name": 1.10}}')
@example(line=b'{"source": "s", "workflow": {"nodes": []}, "workflow": {"nodes": [{}]}}')
@example(line=b'{"source": "s", "workflow": {"nodes": []}, "more": {}}')
def test_both_readers_give_the_same(line: bytes) -> None:
    quick = read(line, DEFAULT_LIMITS, quickly=True)

    assert list(map(told, quick)) == list(map(told, read(line, DEFAULT_LIMITS, quickly=False)))


def test_real_lines_are_read_quickly_and_alike(corpus: Path) -> None:
    quick = 0
    with gzip.open(corpus / "workflows.jsonl.gz") as stream:
        for line in stream:
            quick += read_wrapped(line, DEFAULT_LIMITS) is not None
            assert list(map(told, read(line, DEFAULT_LIMITS, quickly=True))) == list(
                map(told, read(line, DEFAULT_LIMITS, quickly=False))
            )

    assert quick >= 580


@pytest.mark.parametrize(
    "member",
    [
        '"a":1,"a":2',
        '"a":"\\u0000"',
        '"name":7',
        '"id":7.0',
        '"tags":[1]',
        '"tags":[{"name":2}]',
        '"meta":{"templateId":1}',
    ],
)
def test_what_needs_a_second_look_is_left_to_the_general_reader(member: str) -> None:
    assert read_wrapped(f'{{"source":"s","workflow":{{"nodes":[],{member}}}}}'.encode(), DEFAULT_LIMITS) is None


def test_limits_hold_for_both_readers() -> None:
    deep = b'{"source":"s","workflow":{"nodes":[],"a":' + b"[" * 300 + b"]" * 300 + b"}}"

    for limits in (Limits(max_depth=200), Limits(max_document_bytes=100)):
        (rejected,) = read(deep, limits, quickly=True)
        assert isinstance(rejected, Rejected)
    (workflow,) = read(deep, DEFAULT_LIMITS, quickly=True)
    assert isinstance(workflow, Workflow)
