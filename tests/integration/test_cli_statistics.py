"""``stats``: every figure of the library, for programs and for people."""

from __future__ import annotations

from dataclasses import asdict, fields

import pytest

from tests.commands import run, run_in_terminal, seen, store_workflows, with_store
from tests.records import full_workflow, small_workflow
from workflow_store import Metadata, Statistics, Workflow
from workflow_store.samples import generate

HEADINGS = {
    "categories": "workflows by category",
    "authors": "workflows by author",
    "platforms": "transcripts by platform",
    "languages": "transcripts by language",
    "extraction_types": "structures by extraction type",
    "errors": "workflows by error",
    "scrapes_by_day": "scrapes a day (UTC)",
    "storage": "on disk",
    "node_types": "workflows by node type",
}


def _sections(lines: list[str]) -> dict[str, list[str]]:
    """The lines below each heading; the figures are below the empty one."""
    found: dict[str, list[str]] = {}
    for block in "\n".join(lines).strip().split("\n\n"):
        heading, *rows = block.splitlines()
        found |= {heading: rows} if heading in HEADINGS.values() else {"": block.splitlines()}
    return found


def test_the_numbers_are_those_of_the_library(dsn: str) -> None:
    store_workflows(dsn, [full_workflow(), Workflow(workflow_id="bare", url="u"), *generate(40)])

    told = run("stats", "--top", "3", "--detailed", "--json").document

    expected = with_store(dsn, lambda store: store.get_statistics(top=3, detailed=True))
    # What lies on disk may change between two looks.
    assert {**told, "storage": None} == {**asdict(expected), "storage": None}


def test_people_get_the_nine_figures_and_the_percentiles(dsn: str) -> None:
    store_workflows(dsn, [full_workflow(), Workflow(workflow_id="bare", url="u")])

    figures = _sections(run("stats").out.splitlines())[""]

    assert [" ".join(line.split()) for line in figures] == [
        "workflows 2",
        "with metadata 1 50.0 %",
        "with structure 1 50.0 %",
        "with content 1 50.0 %",
        "average quality 85.3",
        "quality, median 85.3",
        "quality, 90 % up to 85.3",
        "quality, 99 % up to 85.3",
        "average time 14.5 s",
        "time, median 14.5 s",
        "time, 90 % up to 14.5 s",
        "time, 99 % up to 14.5 s",
    ]


def test_people_get_every_count_by_name(dsn: str) -> None:
    store_workflows(dsn, [full_workflow(), *generate(80)])

    sections = _sections(run("stats", "--detailed").out.splitlines())

    expected = with_store(dsn, lambda store: store.get_statistics(detailed=True))
    counted = {field.name for field in fields(Statistics) if isinstance(getattr(expected, field.name), dict)}
    assert set(HEADINGS) == counted
    for name in counted - {"storage"}:
        rows = [(line.rsplit(maxsplit=1)[0].strip(), line.rsplit(maxsplit=1)[1]) for line in sections[HEADINGS[name]]]
        assert rows == [(shown, f"{number:,}") for shown, number in getattr(expected, name).items()], name
    assert "workflows" in [line.split()[0] for line in sections["on disk"]]


def test_node_types_are_shown_only_when_asked_for(dsn: str) -> None:
    store_workflows(dsn, [full_workflow()])

    assert "workflows by node type" not in run("stats").out
    assert run("stats", "--json").document["node_types"] is None


def test_scraped_names_are_harmless_and_fit_the_terminal(dsn: str) -> None:
    names = ("\x1b[2J[bold]x\x9b31m\u202e", "", "word " * 40)
    store_workflows(dsn, [small_workflow("1", metadata=Metadata(categories=names))])

    code, shown = run_in_terminal("stats")

    lines = seen(shown)
    assert code == 0
    assert not {"\x9b", "\u202e"} & set(shown)
    assert "\x1b[2J" not in shown
    assert any(line.split() == ["[bold]x", "1"] for line in lines)
    assert any(line.split() == ["(empty)", "1"] for line in lines)
    assert max(map(len, lines)) <= 80


def test_an_empty_store_has_no_averages(dsn: str) -> None:
    assert run("stats", "--json").document["avg_quality_score"] is None
    assert "average" not in run("stats").out


@pytest.mark.parametrize("top", ["0", "1001", "many"])
def test_a_number_of_names_out_of_bounds_is_wrong_usage(dsn: str, top: str) -> None:
    ran = run("stats", "--top", top)

    assert (ran.code, ran.out) == (2, "")
