"""Which charts a result is drawn as."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from benchmarks.contestants import NAME, Case
from benchmarks.figures import Spread
from benchmarks.ingest import TITLES
from benchmarks.plot import Bar, Group, bars, line
from benchmarks.ratios import Run
from benchmarks.result import Result

_AGAIN: Final[tuple[Case, ...]] = ("unchanged", "unchanged_lines", "views", "tenth")
_AWAITED: Final[tuple[Case, ...]] = ("awaiters_512", "awaiters_64", "put", "create")
# What a peer did, where it has but one way to do it.
_AS: Final[Mapping[Case, Case]] = {"unchanged_lines": "unchanged", "put": "create"}
_OWN_WAYS: Final[tuple[Case, ...]] = ("fresh_checked", "fresh", "fresh_lines")
_BY_HAND: Final = "asyncpg by hand"
_RATE: Final = "workflows a second, median and range of {rounds} rounds; more is better"


def charts(result: Result) -> dict[str, str]:
    """Charts by the end of their file's name; none where a result holds nothing to draw."""
    return _CHARTS[result.suite](result) if result.suite in _CHARTS else {}


def _ingest(result: Result) -> dict[str, str]:
    runs = [Run(**run) for run in result.measured["runs"]]
    pieces = [run for run in runs if (run.contestant, run.case) == (NAME, "fresh")]
    rounds = len({run.round for run in runs})
    if len({run.contestant for run in runs}) == 1:
        return {"growth": _growth(pieces)} if len(pieces) > 1 else {}
    unit = _RATE.format(rounds=rounds)
    scale = f"{result.scale:,} workflows"
    ours = [Bar(f"{NAME}, {_way(case)}", spread, True) for case, spread in _rates(runs, NAME, _OWN_WAYS)]
    peers = [_peer(runs, name, "fresh") for name in dict.fromkeys(run.contestant for run in runs) if name != NAME]
    again = [_beside(runs, case, _AS.get(case, case)) for case in _AGAIN]
    awaited = [_beside(runs, case, _AS.get(case, case)) for case in _AWAITED]
    if any(group.bars for group in awaited):
        bulk = _beside(runs, "fresh", "fresh").bars[:1]
        awaited.insert(0, Group("a bulk ingest of the same, for comparison", bulk))
    found = {
        "fresh": (f"New workflows ({scale})", [Group("", [*ours, *_there(peers)])]),
        "again": (f"Scraped again ({scale})", again),
        "awaited": ("One awaited by each task, or one after the other", awaited),
    }
    return {
        end: bars(title, unit, groups) for end, (title, groups) in found.items() if any(group.bars for group in groups)
    }


def _reads(result: Result) -> dict[str, str]:
    answers: Sequence[Mapping[str, Any]] = result.measured.get("beside", ())
    groups = [
        Group(
            read,
            [
                Bar(answer["by"], Spread(tuple(answer["p50_ms"])), answer["by"] == NAME)
                for answer in answers
                if answer["read"] == read
            ],
        )
        for read in dict.fromkeys(answer["read"] for answer in answers)
    ]
    if not groups:
        return {}
    title = f"Reads beside their peers ({result.measured['stored']:,} workflows stored)"
    return {"beside": bars(title, "median time in ms, and its range over rounds; less is better", groups)}


def _memory(result: Result) -> dict[str, str]:
    peaks = [peak for peak in result.measured["peaks"] if peak["peak_mb"] is not None]
    if not peaks:
        return {}
    found = [Bar(f"{peak['records']:,} workflows", Spread((float(peak["peak_mb"]),)), True) for peak in peaks]
    return {
        "peak": bars("Memory of an ingest", "most MB held by the process, by the stream's length", [Group("", found)])
    }


_CHARTS: Final[Mapping[str, Callable[[Result], dict[str, str]]]] = {
    "ingest": _ingest,
    "reads": _reads,
    "memory": _memory,
}


def _growth(pieces: Sequence[Run]) -> str:
    points: list[tuple[float, float]] = []
    stored = 0
    for run in pieces:
        points.append((stored, run.rate))
        stored += run.records
    return line(
        f"The rate of an ingest as the store grows to {stored:,}",
        f"new workflows a second, in pieces of {pieces[0].records:,}",
        "workflows stored before",
        points,
    )


def _beside(runs: Sequence[Run], case: Case, by_hand: Case) -> Group:
    own = [Bar(NAME, spread, True) for _, spread in _rates(runs, NAME, (case,))]
    return Group(TITLES[case], [*own, *_there([_peer(runs, _BY_HAND, by_hand)])])


def _peer(runs: Sequence[Run], name: str, case: Case) -> Bar | None:
    for _, spread in _rates(runs, name, (case,)):
        return Bar(name, spread)
    return None


def _there(found: Iterable[Bar | None]) -> list[Bar]:
    return [bar for bar in found if bar is not None]


def _rates(runs: Sequence[Run], name: str, cases: Sequence[Case]) -> list[tuple[Case, Spread]]:
    found: list[tuple[Case, Spread]] = []
    for case in cases:
        rates = tuple(run.rate for run in runs if (run.contestant, run.case) == (name, case))
        if rates:
            found.append((case, Spread(rates)))
    return found


def _way(case: Case) -> str:
    return {"fresh_checked": "checked before", "fresh": "from models", "fresh_lines": "from lines"}[case]
