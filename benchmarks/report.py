"""``python -m benchmarks.report``: pages, charts and the tables of the docs, written anew out of the results.

A block of ``docs/performance.md`` begins with ``<!-- result: ingest-10k / Ratios within a round -->``, where the second
name is that of a table, or ``chart fresh``, ``machine`` or ``notes``. It ends with ``<!-- end -->``. What is between is
replaced. ``--check`` writes nothing and fails where something would change.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.charts import charts
from benchmarks.machine import in_words
from benchmarks.result import RESULTS, Result

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"
CHARTS: Final = "charts"
_BLOCK: Final = re.compile(
    r"(<!-- result: (?P<name>\S+) / (?P<part>[^\n]+?) -->\n)(?P<text>.*?)(<!-- end -->)", re.DOTALL
)
_CHART: Final = "chart "


class UnknownPart(Exception):
    """A block of the docs names a part that the result does not have."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what differs; 1 where ``--check`` finds something that does, or a block names what is not there."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail where something would change")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the results (benchmarks/results)")
    parser.add_argument("--docs", type=Path, default=DOCS, help="folder of performance.md (docs)")
    given = parser.parse_args(arguments)
    results = {path.stem: Result.read(path) for path in sorted(given.results.glob("*.json"))}
    try:
        wanted = contents(results, given.results, given.docs)
    except UnknownPart as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    differing = [
        path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    for path in differing:
        print(f"{'differs' if given.check else 'written'}: {path}")
        if not given.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
    for name in sorted(missing(given.docs, results)):
        print(f"left as it is: what {name} would show; `python -m benchmarks` writes it", file=sys.stderr)
    return 1 if given.check and differing else 0


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def contents(results: dict[str, Result], folder: Path, docs: Path) -> dict[Path, str]:
    """What each file is to hold: pages beside the results, charts and ``performance.md`` in the docs.

    Raises:
        UnknownPart: a block asks for what its result does not have.
    """
    wanted: dict[Path, str] = {}
    for name, result in results.items():
        if result.tables:
            wanted[folder / f"{name}.md"] = result.markdown()
    page = docs / "performance.md"
    text = page.read_text(encoding="utf-8")
    wanted[page] = filled(text, results)
    for found in _BLOCK.finditer(text):
        if found["name"] in results and found["part"].startswith(_CHART):
            end = found["part"].removeprefix(_CHART)
            wanted[docs / CHARTS / f"{found['name']}-{end}.svg"] = charts(results[found["name"]])[end]
    return wanted


def filled(text: str, results: dict[str, Result]) -> str:
    """The text with each block that a result is known for replaced.

    Raises:
        UnknownPart: see ``contents``.
    """

    def block(found: re.Match[str]) -> str:
        result = results.get(found["name"])
        if result is None:
            return found[0]
        return f"{found[1]}{part(result, found['part'])}\n{found[5]}"

    return _BLOCK.sub(block, text)


def missing(docs: Path, results: dict[str, Result]) -> set[str]:
    """Results that the docs would show and that are not there."""
    text = (docs / "performance.md").read_text(encoding="utf-8")
    return {found["name"] for found in _BLOCK.finditer(text)} - results.keys()


def part(result: Result, name: str) -> str:
    """A part of a result in Markdown.

    Raises:
        UnknownPart: there is none of that name.
    """
    if name == "machine":
        return f"{result.finished_at:%Y-%m-%d}. {in_words(result.machine)}"
    if name == "notes":
        return "\n\n".join(result.notes)
    if name.startswith(_CHART):
        end = name.removeprefix(_CHART)
        drawn = charts(result)
        if end in drawn:
            return f"![{_title(drawn[end])}]({CHARTS}/{result.name}-{end}.svg)"
    for table in result.tables:
        if table.title == name:
            return table.markdown()
    raise UnknownPart(f"{result.name} has no {name!r}")


def _title(chart: str) -> str:
    found = re.search(r'aria-label="([^"]*)"', chart)
    return found[1] if found else ""


if __name__ == "__main__":
    sys.exit(main())
