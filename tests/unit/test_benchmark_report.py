"""What is made of saved results: charts, and the blocks of the docs."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from benchmarks import report
from benchmarks.charts import charts
from benchmarks.contestants import NAME
from benchmarks.figures import Spread
from benchmarks.plot import Bar, Group, bars, line, ticks_to
from benchmarks.ratios import Run
from benchmarks.report import UnknownPart, filled, main, part
from benchmarks.result import Result, Table

MACHINE: dict[str, Any] = {
    "cores": 2,
    "memory_gb": 8.0,
    "load_average": [0.5],
    "system": "Linux x86_64",
    "python": "3.11.0",
    "postgresql": "18.6",
    "server": "embedded",
    "settings": {"fsync": "on"},
}
SVG = "{http://www.w3.org/2000/svg}"


def result(*runs: Run) -> Result:
    tables = [Table("Rates", ("case", "a second"), [("fresh", 50.0), ("none", None)])]
    return Result("ingest", 10_000, MACHINE, tables, {"runs": [asdict(run) for run in runs]}, ["A note."])


def two_contestants() -> Result:
    return result(*(Run(name, "fresh", number, 10, 1.0 + number, 0, 0) for name in (NAME, "peer") for number in (0, 1)))


def drawn(chart: str) -> ElementTree.Element:
    return ElementTree.fromstring(chart)


def words(chart: str) -> list[str]:
    return [element.text or "" for element in drawn(chart).iter(f"{SVG}text")]


@pytest.mark.parametrize(
    ("top", "ticks"),
    [
        (4, [0, 1, 2, 3, 4]),
        (4_100, [0, 1_000, 2_000, 3_000, 4_000, 5_000]),
        (0.3, [0, 0.1, 0.2, 0.3]),
        (11, [0, 2.5, 5, 7.5, 10, 12.5]),
    ],
)
def test_ticks_are_round_and_reach_the_top(top: float, ticks: list[float]) -> None:
    assert ticks_to(top) == ticks


def test_nothing_is_not_drawn() -> None:
    with pytest.raises(ValueError, match="above 0"):
        ticks_to(0)
    with pytest.raises(ValueError, match="nothing to draw for 'Empty'"):
        bars("Empty", "ms", [Group("", [])])
    with pytest.raises(ValueError, match="two points"):
        line("Short", "ms", "stored", [(0, 1)])


def test_a_bar_is_as_long_as_its_median() -> None:
    chart = bars("T", "ms", [Group("", [Bar("one", Spread((2.0,)), True), Bar("two", Spread((3.0, 4.0, 9.0)))])])

    one, two = (float(rect.attrib["width"]) for rect in drawn(chart).iter(f"{SVG}rect"))

    assert two == pytest.approx(2 * one, abs=0.2)
    assert {"one", "two", "2.00", "4.00"} <= set(words(chart))


def test_a_chart_bears_any_name() -> None:
    chart = bars('<"&', "ms", [Group("a < b", [Bar("x & y", Spread((1.0,)))])])

    assert {'<"&', "a < b", "x & y"} <= set(words(chart))
    assert drawn(chart).attrib["aria-label"] == '<"&'


def test_a_line_goes_through_its_points_from_left_to_right() -> None:
    chart = line("T", "a second", "stored", [(0, 10), (50, 5), (100, 10)])

    (path,) = drawn(chart).iter(f"{SVG}polyline")
    points = [tuple(map(float, point.split(","))) for point in path.attrib["points"].split()]

    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert points[0][1] == points[2][1] < points[1][1]


def test_an_ingest_of_one_contestant_is_drawn_as_its_growth() -> None:
    alone = result(*(Run(NAME, "fresh", number, 10, 1.0, 0, 0) for number in range(3)))

    assert set(charts(alone)) == {"growth"}
    assert charts(result(Run(NAME, "fresh", 0, 10, 1.0, 0, 0))) == {}


def test_an_ingest_with_peers_is_drawn_beside_them() -> None:
    found = charts(two_contestants())

    assert {f"{NAME}, from models", "peer"} <= set(words(found["fresh"]))


def test_a_block_is_replaced_by_its_part_of_the_result() -> None:
    text = "Before.\n<!-- result: ingest-10k / Rates -->\nold\n<!-- end -->\nAfter.\n"

    once = filled(text, {"ingest-10k": two_contestants()})

    assert once == (
        "Before.\n<!-- result: ingest-10k / Rates -->\n"
        "| case | a second |\n| --- | ---: |\n| fresh | 50.0 |\n| none | – |\n"
        "<!-- end -->\nAfter.\n"
    )
    assert filled(once, {"ingest-10k": two_contestants()}) == once


def test_a_block_without_its_result_stays() -> None:
    text = "<!-- result: ingest-1m / Rates -->\nold\n<!-- end -->\n"

    assert filled(text, {"ingest-10k": two_contestants()}) == text


@pytest.mark.parametrize("name", ["Rate", "chart nothing", ""])
def test_a_part_that_is_not_there_is_an_error(name: str) -> None:
    with pytest.raises(UnknownPart, match="ingest-10k has no"):
        part(two_contestants(), name)


def test_machine_and_notes_are_parts_too() -> None:
    assert "PostgreSQL 18.6 (embedded)" in part(two_contestants(), "machine")
    assert part(two_contestants(), "notes") == "A note."


def test_a_saved_result_is_read_as_it_was(tmp_path: Path) -> None:
    saved = two_contestants()
    path, page = saved.save(tmp_path)

    again = Result.read(path)

    assert again.markdown() == saved.markdown() == page.read_text(encoding="utf-8")
    assert again.measured == saved.measured


def test_the_docs_follow_the_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results, docs = tmp_path / "results", tmp_path / "docs"
    docs.mkdir()
    two_contestants().save(results)
    page = docs / "performance.md"
    page.write_text(
        "<!-- result: ingest-10k / chart fresh -->\n<!-- end -->\n<!-- result: reads-1m / Reads -->\n<!-- end -->\n",
        encoding="utf-8",
    )
    folders = ["--results", str(results), "--docs", str(docs)]

    assert main(["--check", *folders]) == 1
    assert not (docs / report.CHARTS).exists()
    assert main(folders) == 0
    assert "reads-1m" in capsys.readouterr().err
    assert main(["--check", *folders]) == 0

    assert "(charts/ingest-10k-fresh.svg)" in page.read_text(encoding="utf-8")
    assert drawn((docs / "charts" / "ingest-10k-fresh.svg").read_text(encoding="utf-8")).tag == f"{SVG}svg"


def test_the_docs_hold_what_the_committed_results_say() -> None:
    assert main(["--check"]) == 0
