"""What a suite found: tables for the terminal and for Markdown, and the whole of it as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

from rich.console import Console
from rich.table import Table as RichTable

from benchmarks.machine import in_words

RESULTS: Final = Path(__file__).resolve().parent / "results"
Cell: TypeAlias = str | float | int | None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of figures and words; figures stand to the right."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]

    def show(self, console: Console) -> None:
        """Print it on a terminal."""
        shown = RichTable(title=self.title, title_justify="left")
        for place, name in enumerate(self.columns):
            shown.add_column(name, justify="right" if self._is_numeric(place) else "left", overflow="fold")
        for row in self.rows:
            shown.add_row(*(written(cell) for cell in row))
        console.print(shown)

    def markdown(self) -> str:
        """The table in GitHub's Markdown."""
        ruler = ("---:" if self._is_numeric(place) else "---" for place in range(len(self.columns)))
        lines = [_line(self.columns), _line(tuple(ruler))]
        lines += [_line(tuple(written(cell).replace("|", "\\|") for cell in row)) for row in self.rows]
        return "\n".join(lines)

    def _is_numeric(self, place: int) -> bool:
        cells = [row[place] for row in self.rows if row[place] is not None]
        return bool(cells) and not any(isinstance(cell, str) for cell in cells)


@dataclass(slots=True)
class Result:
    """What one suite found.

    Attributes:
        suite: its name.
        scale: how many workflows.
        machine: see ``machine.describe``.
        tables: for people.
        measured: for programs: everything the tables are made of, and more.
        notes: remarks for both.
        label: tells it from others of the same suite and scale; "" is none.
    """

    suite: str
    scale: int
    machine: dict[str, Any]
    tables: list[Table]
    measured: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    finished_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    label: str = ""

    @property
    def name(self) -> str:
        """Of its files: suite, scale and label."""
        return "-".join(word for word in (self.suite, short(self.scale), self.label) if word)

    def document(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        return {
            "suite": self.suite,
            "scale": self.scale,
            "label": self.label,
            "finished_at": self.finished_at.isoformat(timespec="seconds"),
            "machine": self.machine,
            "notes": self.notes,
            "tables": [
                {"title": table.title, "columns": list(table.columns), "rows": [list(row) for row in table.rows]}
                for table in self.tables
            ],
            "measured": self.measured,
        }

    @classmethod
    def read(cls, path: Path) -> Self:
        """A result that was saved."""
        document = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            suite=document["suite"],
            scale=document["scale"],
            machine=document["machine"],
            tables=[
                Table(table["title"], tuple(table["columns"]), [tuple(row) for row in table["rows"]])
                for table in document.get("tables", ())
            ],
            measured=document["measured"],
            notes=document["notes"],
            finished_at=datetime.fromisoformat(document["finished_at"]),
            label=document.get("label", ""),
        )

    def markdown(self) -> str:
        """A page with all tables."""
        lines = [f"# {self.suite}, {self.scale:,} workflows", ""]
        lines += [f"`python -m benchmarks {self.suite} --scale {short(self.scale)}`, {self.finished_at:%Y-%m-%d}.", ""]
        lines += [in_words(self.machine), ""]
        for note in self.notes:
            lines += [note, ""]
        for table in self.tables:
            lines += [f"## {table.title}", "", table.markdown(), ""]
        return "\n".join(lines)

    def show(self, console: Console) -> None:
        """Print it on a terminal."""
        console.print(in_words(self.machine), highlight=False)
        for table in self.tables:
            table.show(console)
        for note in self.notes:
            console.print(note, highlight=False)

    def save(self, folder: Path = RESULTS) -> tuple[Path, Path]:
        """Write ``<suite>-<scale>.json`` and ``.md``, in the place of older ones."""
        folder.mkdir(parents=True, exist_ok=True)
        data, page = folder / f"{self.name}.json", folder / f"{self.name}.md"
        data.write_text(json.dumps(self.document(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        page.write_text(self.markdown(), encoding="utf-8")
        return data, page


def short(count: int) -> str:
    """A scale as it is typed: 10k, 1m, 50."""
    for unit, letter in ((1_000_000, "m"), (1_000, "k")):
        if count and count % unit == 0:
            return f"{count // unit}{letter}"
    return str(count)


def written(cell: Cell) -> str:
    """A figure with three significant digits, or as many as it has before the point."""
    if cell is None:
        return "–"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int) or abs(cell) >= 100:
        return f"{cell:,.0f}"
    return f"{cell:.1f}" if abs(cell) >= 10 else f"{cell:.2f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
