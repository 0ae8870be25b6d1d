"""What the suite ``settings`` changes, and how it says what that brought."""

from __future__ import annotations

from rich.progress import Progress

from benchmarks import arguments, tuning
from benchmarks.tuning import VARIANTS, Run, table
from workflow_store.settings import Settings


def test_each_variant_changes_one_thing_that_exists() -> None:
    for variant in VARIANTS[1:]:
        changed = [variant.server, variant.store, variant.compression != "auto"]
        assert sum(map(bool, changed)) == 1
        assert variant.store.keys() <= Settings.model_fields.keys()
    assert not VARIANTS[0].server
    assert len({variant.words for variant in VARIANTS}) == len(VARIANTS)


def test_ratios_are_taken_within_a_round() -> None:
    runs = [
        Run(variant.words, number, rate * (2.0 if variant is VARIANTS[1] else 1.0), 1_000.0, 2_000.0)
        for number, rate in enumerate((100.0, 50.0, 10.0))
        for variant in VARIANTS
    ]

    usual, other, *_ = table(runs).rows

    assert usual == (VARIANTS[0].words, 50.0, None, None, None, 1.0, 2.0, None)
    assert other == (VARIANTS[1].words, 100.0, 2.0, 2.0, 2.0, 1.0, 2.0, VARIANTS[1].loses)


async def test_every_variant_ingests_on_a_real_server(database_dsn: str) -> None:
    options = arguments.parse(["settings", "--scale", "20", "--rounds", "1"])

    result = await tuning.measure(database_dsn, options, Progress(disable=True))

    assert [run["variant"] for run in result.measured["runs"]] == [variant.words for variant in VARIANTS]
    assert all(run["rate"] > 0 and run["stored_bytes"] > 1_000 for run in result.measured["runs"])
