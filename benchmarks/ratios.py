"""What an ingest is to reach beside its peers: ratios within a round, and their aims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from benchmarks.contestants import NAME, Case
from benchmarks.figures import Spread
from benchmarks.result import Cell, Table

Measure: TypeAlias = Literal["rate", "client"]


@dataclass(frozen=True, slots=True)
class Run:
    """One timed run of a case.

    Attributes:
        records: how many workflows were given.
        seconds: of wall time.
        client_seconds: processor time of this process and of the programs it started.
        wal_bytes: what the server wrote ahead meanwhile.
    """

    contestant: str
    case: str
    round: int
    records: int
    seconds: float
    client_seconds: float
    wal_bytes: int

    @property
    def rate(self) -> float:
        """Workflows a second."""
        return self.records / self.seconds

    @property
    def client(self) -> float:
        """Processor time of the client in µs, a workflow."""
        return self.client_seconds / self.records * 1e6


@dataclass(frozen=True, slots=True)
class Ratio:
    """What one of our cases is set beside.

    Attributes:
        words: what is compared.
        case: ours.
        beside: the contestant that it is divided by; ours too, where two of our cases are compared.
        beside_case: what that one did.
        aim: the least ratio, or the greatest where processor time is compared; None where there is none.
        aim_lz4: the aim where wide columns are compressed by lz4.
    """

    words: str
    case: Case
    beside: str
    beside_case: Case
    aim: float | None = None
    aim_lz4: float | None = None
    measure: Measure = "rate"

    def within_rounds(self, runs: Sequence[Run]) -> Spread | None:
        """The ratio of each round in which both ran."""
        ours = _by_round(runs, NAME, self.case, self.measure)
        other = _by_round(runs, self.beside, self.beside_case, self.measure)
        both = sorted(ours.keys() & other.keys())
        return Spread(tuple(ours[number] / other[number] for number in both)) if both else None

    def aim_with(self, compression: str) -> float | None:
        """The aim on a server that compresses so."""
        return self.aim_lz4 if compression == "lz4" and self.aim_lz4 is not None else self.aim

    def is_met(self, median: float, compression: str) -> bool | None:
        """Whether the median reaches the aim; None where there is none."""
        aim = self.aim_with(compression)
        if aim is None:
            return None
        return median >= aim if self.measure == "rate" else median <= aim


_PSQL: Final = "psql \\copy"
_HAND: Final = "asyncpg by hand"
RATIOS: Final[tuple[Ratio, ...]] = (
    Ratio("new workflows, documents checked before", "fresh_checked", _PSQL, "fresh", 0.95, 1.0),
    Ratio("new workflows, from models", "fresh", _PSQL, "fresh"),
    Ratio("new workflows, from a file of lines", "fresh_lines", _PSQL, "fresh", 0.85),
    Ratio("new workflows, from models", "fresh", _HAND, "fresh"),
    Ratio("new workflows, from models", "fresh", "psycopg 3 async COPY", "fresh", 1.0),
    Ratio("new workflows, from models", "fresh", "SQLAlchemy 2 async Core", "fresh", 1.3),
    Ratio("new workflows, from models", "fresh", "SQLAlchemy 2 ORM, psycopg2", "fresh", 15, 25),
    Ratio("search documents, by a refresh", "refresh", _HAND, "refresh", 0.9),
    Ratio("the same again, from models", "unchanged", _HAND, "unchanged", 10),
    Ratio("the same again, from a file of lines", "unchanged_lines", _HAND, "unchanged", 5),
    Ratio("the same, other views", "views", _HAND, "views", 3),
    Ratio("the same, a tenth changed", "tenth", _HAND, "tenth", 5),
    Ratio("64 tasks await one each, beside a bulk ingest", "awaiters_64", NAME, "fresh", 0.9),
    Ratio("512 tasks await one each, beside a bulk ingest", "awaiters_512", NAME, "fresh"),
    Ratio("64 tasks await one each", "awaiters_64", _HAND, "awaiters_64"),
    Ratio("one awaited after the other, through a writer", "put", _HAND, "create", 0.95),
    Ratio("one awaited after the other, by create_workflow", "create", _HAND, "create", 0.95),
    Ratio("deleted one after the other", "delete", _HAND, "delete"),
    Ratio("deleted one after the other", "delete", "SQLAlchemy 2 ORM, psycopg2", "delete"),
    Ratio("client CPU of new workflows, from models", "fresh", _HAND, "fresh", 2.0, measure="client"),
)


def table(runs: Sequence[Run], compression: str) -> Table:
    """The ratios that were measured."""
    rows: list[tuple[Cell, ...]] = []
    for ratio in RATIOS:
        spread = ratio.within_rounds(runs)
        if spread is not None:
            rows.append(
                (ratio.words, ratio.beside, spread.median, spread.low, spread.high, *_aim(ratio, compression, spread))
            )
    columns = ("workflow-store", "beside", "ratio", "lowest", "highest", "aim", "reached")
    return Table("Ratios within a round", columns, rows)


def document(runs: Sequence[Run], compression: str) -> list[dict[str, Any]]:
    """The same for programs."""
    found: list[dict[str, Any]] = []
    for ratio in RATIOS:
        spread = ratio.within_rounds(runs)
        if spread is not None:
            found.append(
                {
                    "what": ratio.words,
                    "case": ratio.case,
                    "beside": ratio.beside,
                    "beside_case": ratio.beside_case,
                    "measure": ratio.measure,
                    "values": [round(value, 4) for value in spread.values],
                    "aim": ratio.aim_with(compression),
                }
            )
    return found


def _aim(ratio: Ratio, compression: str, spread: Spread) -> tuple[Cell, Cell]:
    aim = ratio.aim_with(compression)
    if aim is None:
        return None, None
    sign = "≥" if ratio.measure == "rate" else "≤"
    return f"{sign} {aim:g}", "yes" if ratio.is_met(spread.median, compression) else "no"


def _by_round(runs: Sequence[Run], name: str, case: str, measure: Measure) -> dict[int, float]:
    own = (run for run in runs if (run.contestant, run.case) == (name, case))
    return {run.round: run.rate if measure == "rate" else run.client for run in own}
