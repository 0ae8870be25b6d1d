"""The measurements: their figures, their tables, and one small run of all of them."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import arguments, cases, data, picks
from benchmarks.contestants import everyone
from benchmarks.contestants.by_hand import upsert
from benchmarks.figures import Spread, percentile
from benchmarks.ingest import TITLES, growth, rows_of
from benchmarks.lookups import BARE
from benchmarks.machine import in_words
from benchmarks.plans import Plan, read_plan
from benchmarks.ratios import Run
from benchmarks.reads import plans_in_words
from benchmarks.result import Result, Table, short, written
from benchmarks.server import Server
from workflow_store.repository.filters import FILTERS
from workflow_store.samples import generate
from workflow_store.testing.servers import TestServer

ROOT = Path(__file__).resolve().parents[2]
MACHINE: dict[str, Any] = {
    "cores": 2,
    "memory_gb": 8.0,
    "load_average": [0.5, 1.0, 2.0],
    "system": "Linux x86_64",
    "python": "3.11.0",
    "postgresql": "18.6",
    "server": "embedded",
    "settings": {"fsync": "on"},
}


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(value) for value in range(200, 0, -1)]

    assert percentile(values, 50) == 100
    assert percentile(values, 99) == 198
    assert percentile(values, 100) == 200
    assert percentile([7.0], 50) == 7


@pytest.mark.parametrize("percent", [0, -1, 100.1])
def test_a_percentile_of_no_share_is_refused(percent: float) -> None:
    with pytest.raises(ValueError, match="share above 0"):
        percentile([1.0], percent)


def test_a_spread_tells_its_middle_and_its_ends() -> None:
    spread = Spread((5.0, 1.0, 4.0))

    assert (spread.low, spread.median, spread.high) == (1, 4, 5)
    assert spread.relative == 1
    assert Spread((0.0, 0.0)).relative == 0


@pytest.mark.parametrize(("typed", "count"), [("50", 50), ("10k", 10_000), ("1M", 1_000_000), ("2_500", 2_500)])
def test_a_scale_is_read_as_it_is_typed(typed: str, count: int) -> None:
    assert arguments.scale(typed) == count


@pytest.mark.parametrize("typed", ["", "k", "0", "-1", "1.5k", "ten"])
def test_a_scale_that_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="whole number above 0"):
        arguments.scale(typed)


@pytest.mark.parametrize(("count", "name"), [(50, "50"), (10_000, "10k"), (1_000_000, "1m"), (2_500, "2500")])
def test_a_scale_is_named_so_that_it_can_be_typed(count: int, name: str) -> None:
    assert short(count) == name
    assert arguments.scale(name) == count


def test_without_arguments_the_usual_suites_run_at_10k_in_five_rounds() -> None:
    options = arguments.parse([])

    assert options.suites == arguments.USUAL
    assert (options.scale, options.rounds, options.calls) == (10_000, 5, 200)
    assert not any((options.keep, options.save, options.is_large, options.only, options.label))


def test_a_large_scale_is_measured_once() -> None:
    options = arguments.parse(["ingest", "ingest", "--scale", "100k"])

    assert options.suites == ("ingest",)
    assert options.rounds == 1
    assert options.is_large


def test_a_data_folder_is_kept() -> None:
    assert arguments.parse(["--data-dir", "/somewhere"]).keep


@pytest.mark.parametrize(
    "typed", [["writes"], ["--corpus", "/is/not/there"], ["--scale", "0"], ["--only", "all"], ["--label", "a/b"]]
)
def test_arguments_that_make_no_sense_end_the_program(typed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments.parse(typed)

    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cell", "text"),
    [(None, "–"), ("words", "words"), (12_345, "12,345"), (1234.5, "1,234"), (99.94, "99.9"), (0.244, "0.24")],
)
def test_a_cell_has_the_digits_that_mean_something(cell: Any, text: str) -> None:
    assert written(cell) == text


def test_a_table_in_markdown_has_its_figures_to_the_right() -> None:
    table = Table("Times", ("read", "ms"), [("a|b", 1.5), ("none", None)])

    assert table.markdown().splitlines() == ["| read | ms |", "| --- | ---: |", "| a\\|b | 1.50 |", "| none | – |"]


def test_a_result_is_written_as_json_and_as_a_page(tmp_path: Path) -> None:
    result = Result(
        "reads", 10_000, MACHINE, [Table("Times", ("read", "ms"), [("get", 0.2)])], {"stored": 1}, ["Note."]
    )

    data_file, page = result.save(tmp_path / "results")

    assert (data_file.name, page.name) == ("reads-10k.json", "reads-10k.md")
    document = json.loads(data_file.read_text(encoding="utf-8"))
    assert document["machine"] == MACHINE
    assert document["measured"] == {"stored": 1}
    text = page.read_text(encoding="utf-8")
    assert "| get | 0.20 |" in text
    assert in_words(MACHINE) in text
    assert "Note." in text


def test_a_label_tells_results_of_one_scale_apart(tmp_path: Path) -> None:
    result = Result("ingest", 10_000, MACHINE, [], {}, label="lz4")

    data_file, page = result.save(tmp_path)

    assert (data_file.name, page.name) == ("ingest-10k-lz4.json", "ingest-10k-lz4.md")
    assert Result.read(data_file).name == "ingest-10k-lz4"


def test_a_plan_is_read_with_its_indexes_and_its_buffers() -> None:
    scan = {"Node Type": "Index Scan", "Index Name": "workflows_pkey", "Relation Name": "workflows"}
    top = {"Node Type": "Limit", "Shared Hit Blocks": 7, "Shared Read Blocks": 2, "Plans": [scan, scan]}

    plan = read_plan(json.dumps([{"Plan": top}]), "custom")

    assert plan == Plan(
        (("Limit", ""), ("Index Scan", "workflows_pkey"), ("Index Scan", "workflows_pkey")), 9, "custom"
    )
    assert plans_in_words([plan]) == "Index Scan (workflows_pkey); Limit"


def test_several_plans_are_told_apart() -> None:
    scan = Plan((("Seq Scan", "workflows"),), 1, "generic")

    assert plans_in_words([scan, scan]) == "generic; Seq Scan (workflows) then generic; Seq Scan (workflows)"


def test_a_rate_is_the_median_of_its_rounds() -> None:
    runs = [Run("ours", "fresh", number, 100, seconds, 0.001, 5_000) for number, seconds in enumerate((1.0, 2.0, 4.0))]

    (row,) = rows_of("fresh", runs, ["ours", "absent"])

    assert row[:6] == (TITLES["fresh"], "ours", 100, 50.0, 25.0, 100.0)
    assert [round(float(cell or 0), 6) for cell in row[6:]] == [10.0, 0.05]
    assert rows_of("views", runs, ["ours"]) == []


def test_growth_compares_the_ends_without_the_first_piece() -> None:
    seconds = (0.1, *([1.0] * 6), *([2.0] * 6))
    pieces = [Run("ours", "fresh", number, 10, taken, 0, 0) for number, taken in enumerate(seconds)]

    ends, course = growth(pieces)

    assert ends.rows == [(130, 5, 10.0, 5.0, 0.5, "≥ 0.85", "no")]
    assert course.rows[0] == (0, 10, 100.0)
    assert course.rows[-1] == (120, 10, 5.0)
    assert len(growth(pieces[:1])) == 1


def test_a_later_scrape_differs_where_it_says() -> None:
    given = list(generate(40))

    viewed, changed = data.with_more_views(given), data.with_a_tenth_changed(given)

    scraped = [pair for pair in zip(given, viewed, strict=True) if pair[0].metadata is not None]
    assert scraped
    for before, after in scraped:
        assert before.metadata is not None
        assert after.metadata is not None
        assert after.metadata.views == (before.metadata.views or 0) + 1
        assert after.structure == before.structure
    differing = [place for place, (one, other) in enumerate(zip(given, changed, strict=True)) if one != other]
    assert differing == [0, 10, 20, 30]


def test_workflows_of_a_file_are_taken_from_their_place(tmp_path: Path) -> None:
    source = tmp_path / "some.jsonl"
    source.write_bytes(b"".join(workflow.to_json().raw + b"\n" for workflow in generate(5)))

    taken = data.workflows(10, start=3, source=source)

    assert [workflow.workflow_id for workflow in taken] == [workflow.workflow_id for workflow in generate(2, start=3)]


def test_the_rarest_is_the_one_nearest_to_three_in_a_thousand() -> None:
    counted = [("all", 900), ("few", 4), ("fewer", 3), ("one", 1)]

    assert picks.rarest(counted, 1_000) == "fewer"
    assert picks.rarest([("all", 900)], 1_000) is None


def test_a_misspelt_word_has_the_same_letters() -> None:
    assert picks.misspelt("Automate") == "Autmoate"


@pytest.mark.parametrize(("total", "page"), [(100_000, 1_000), (1_000_000, 1_000), (10_000, 100), (50, 2)])
def test_the_page_far_behind_lies_within_the_store(total: int, page: int) -> None:
    assert cases.deep_page(total) == page


def test_an_upsert_by_hand_sets_all_but_the_key() -> None:
    assert upsert("t", ("id", "a", "b")) == (
        "INSERT INTO workflow_store.t (id, a, b) VALUES ($1, $2, $3)\n"
        "ON CONFLICT (id) DO UPDATE SET a = excluded.a, b = excluded.b"
    )


def test_all_suites_run_on_a_small_store(workflow_store_server: TestServer, tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    command = [
        sys.executable,
        "-m",
        "benchmarks",
        "--scale",
        "50",
        "--rounds",
        "1",
        "--calls",
        "4",
        "--json",
        str(found),
    ]
    environment = {**os.environ, "WORKFLOW_STORE_BENCH_DSN": workflow_store_server.dsn, "PYTHONPATH": str(ROOT)}

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)

    assert done.returncode == 0, done.stderr
    assert "Workflows a second" in done.stdout
    ingest, reads, memory = (json.loads(line) for line in found.read_text(encoding="utf-8").splitlines())
    runs = ingest["measured"]["runs"]
    assert {run["case"] for run in runs} == TITLES.keys()
    # Each takes part in all of its cases, or the result says why not.
    for contestant in everyone():
        own = {run["case"] for run in runs if run["contestant"] == contestant.name}
        assert own == (frozenset() if contestant.name in ingest["measured"]["left_out"] else contestant.cases)
    assert all(name in " ".join(ingest["notes"]) for name in ingest["measured"]["left_out"])
    assert reads["measured"]["stored"] == 50
    names = [read["name"] for read in reads["measured"]["reads"]]
    assert len(names) == len(set(names))
    for name in FILTERS:
        # Each is measured, or the result says that this store has nothing to ask for.
        assert any(f", {name}=" in read for read in names) or any(name in note for note in reads["notes"])
    assert all(read["plans"] for read in reads["measured"]["reads"])
    assert {answer["by"] for answer in reads["measured"]["beside"]} >= {"workflow-store", BARE}
    assert [peak["records"] for peak in memory["measured"]["peaks"]] == [5, 50]
    assert not Server("given", workflow_store_server.dsn).has("workflow_store_bench_reads_50")


def test_the_suite_load_runs_and_says_what_failed(workflow_store_server: TestServer, tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    command = [sys.executable, "-m", "benchmarks", "load", "--scale", "50", "--seconds", "3", "--json", str(found)]
    environment = {**os.environ, "WORKFLOW_STORE_BENCH_DSN": workflow_store_server.dsn, "PYTHONPATH": str(ROOT)}

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    assert "Under load" in done.stdout
    measured = json.loads(found.read_text(encoding="utf-8"))["measured"]
    assert measured["errors"] == {}
    assert len(measured["calls_by_task"]) == 200
    assert min(measured["calls_by_task"]) > 0
