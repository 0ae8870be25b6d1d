"""The ratios of the benchmarks: taken within a round, and set beside their aims."""

from __future__ import annotations

from benchmarks.contestants import NAME, everyone
from benchmarks.contestants.contestant import Case
from benchmarks.lookups import BARE, Lookup, table
from benchmarks.memory import Peak
from benchmarks.memory import table as memory_table
from benchmarks.ratios import RATIOS, Measure, Ratio, Run
from benchmarks.ratios import table as ratio_table


def runs(name: str, case: Case, seconds: tuple[float, ...], client: float = 0.001) -> list[Run]:
    return [Run(name, case, number, 100, taken, client, 5_000) for number, taken in enumerate(seconds)]


def ratio(aim: float | None = None, aim_lz4: float | None = None, measure: Measure = "rate") -> Ratio:
    return Ratio("words", "fresh", "peer", "fresh", aim, aim_lz4, measure)


def test_a_ratio_is_taken_within_each_round() -> None:
    measured = runs(NAME, "fresh", (1.0, 2.0, 4.0)) + runs("peer", "fresh", (2.0, 1.0, 4.0))

    spread = ratio().within_rounds(measured)

    assert spread is not None
    assert spread.values == (2.0, 0.5, 1.0)
    assert spread.median == 1.0


def test_a_round_that_only_one_ran_is_in_no_ratio() -> None:
    measured = runs(NAME, "fresh", (1.0, 2.0)) + runs("peer", "fresh", (2.0,))

    spread = ratio().within_rounds(measured)

    assert spread is not None
    assert spread.values == (2.0,)
    assert ratio().within_rounds(runs(NAME, "fresh", (1.0,))) is None


def test_processor_time_is_reached_from_above() -> None:
    measured = runs(NAME, "fresh", (1.0,), client=0.003) + runs("peer", "fresh", (1.0,), client=0.001)
    spread = ratio(measure="client").within_rounds(measured)

    assert spread is not None
    assert round(spread.median, 9) == 3
    assert ratio(2.0, measure="client").is_met(3, "pglz") is False
    assert ratio(3.0, measure="client").is_met(3, "pglz") is True
    assert ratio(3.0).is_met(3.1, "pglz") is True
    assert ratio(3.0).is_met(2.9, "pglz") is False
    assert ratio().is_met(2.9, "pglz") is None


def test_the_aim_depends_on_the_compression() -> None:
    one = ratio(0.95, 1.0)

    assert (one.aim_with("pglz"), one.aim_with("lz4")) == (0.95, 1.0)
    assert ratio(0.95).aim_with("lz4") == 0.95


def test_every_ratio_names_what_somebody_does() -> None:
    cases = {contestant.name: contestant.cases for contestant in everyone()}

    for one in RATIOS:
        assert one.case in cases[NAME]
        assert one.beside_case in cases[one.beside]


def test_the_table_says_what_was_reached() -> None:
    measured = runs(NAME, "fresh", (1.0, 1.0)) + runs("psycopg 3 async COPY", "fresh", (2.0, 0.5))
    measured += runs("SQLAlchemy 2 async Core", "fresh", (1.0, 1.0))

    rows = ratio_table(measured, "pglz").rows

    assert rows == [
        ("new workflows, from models", "psycopg 3 async COPY", 1.25, 0.5, 2.0, "≥ 1", "yes"),
        ("new workflows, from models", "SQLAlchemy 2 async Core", 1.0, 1.0, 1.0, "≥ 1.3", "no"),
    ]


async def nothing(number: int) -> None: ...


def test_a_read_is_set_beside_its_peer_by_the_medians_of_rounds() -> None:
    lookup = Lookup("get, all parts", nothing)
    lookup.seconds = {"": [[0.001, 0.002, 0.009], [0.002]], BARE: [[0.002, 0.002, 0.001], [0.001]]}

    ours, bare = table([lookup]).rows

    assert ours == ("get, all parts", NAME, 2.0, None, None, None, None, None)
    assert bare == ("get, all parts", BARE, 1.5, 1.5, 1.0, 2.0, "≤ 1.15", "no")


def test_memory_is_judged_from_a_long_stream_on() -> None:
    short, long = Peak(10_000, 50.0, 80.0, 10.0), Peak(1_000_000, 50.0, 150.0, 1_000.0)

    assert memory_table([short, long]).rows[1] == (1_000_000, 50.0, 150.0, 70.0, "≤ 64", "no", 1_000.0)
    assert memory_table([Peak(10, 1.0, 2.0, 1.0), long]).rows[1][4:6] == (None, None)
    assert memory_table([Peak(10_000, None, None, 10.0), long]).rows[1][3:6] == (None, None, None)
