"""The command line of ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

from benchmarks.contestants import Case
from benchmarks.server import DSN_VARIABLE

SUITES: Final = ("ingest", "reads", "memory", "settings", "load")
USUAL: Final = ("ingest", "reads", "memory")
_UNITS: Final = {"k": 1_000, "m": 1_000_000}
_LARGE: Final = 20_000

_DESCRIPTION: Final = f"""\
Measures the store on a server of its own: an embedded one with the durability of production, or that of
{DSN_VARIABLE}, in a database that is made for it. Without arguments: the first three at
10k, some minutes each.
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured, and how.

    Attributes:
        suites: in the order they are run.
        scale: how many workflows.
        rounds: how often each case of ``ingest`` is measured.
        calls: how often each read is measured.
        seconds: how long the tasks of ``load`` go on.
        corpus: a file or folder of workflows instead of generated ones.
        data_dir: the embedded server's data folder, which is kept.
        keep: leave the database behind, and use the one that was left.
        save: write JSON and Markdown into ``benchmarks/results``.
        label: the end of the names of these files, for another server or machine.
        json: write JSON there.
        only: cases of ``ingest``; empty is all.
    """

    suites: tuple[str, ...]
    scale: int
    rounds: int
    calls: int
    seconds: float
    corpus: Path | None
    data_dir: Path | None
    keep: bool
    save: bool
    label: str
    json: Path | None
    only: frozenset[str] = frozenset()

    @property
    def is_large(self) -> bool:
        """Too many for peers and repetitions: ours only, once."""
        return self.scale > _LARGE


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line; ends the program with a message where it makes no sense."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"of {', '.join(SUITES)} (default: the first three)")
    parser.add_argument("--scale", type=scale, default=10_000, help="workflows: 10k, 100k, 1m or a number (10k)")
    parser.add_argument("--rounds", type=positive, help="rounds of ingest (5; 1 above 20k)")
    parser.add_argument("--calls", type=positive, default=200, help="calls of each read (200)")
    parser.add_argument("--seconds", type=positive, default=60, help="how long load goes on (60)")
    parser.add_argument("--corpus", type=Path, help="a file or folder of workflows instead of generated ones")
    parser.add_argument("--data-dir", type=Path, help="data folder of the embedded server; kept, with its database")
    parser.add_argument("--keep", action="store_true", help="keep the database, and measure the one that was kept")
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/<suite>-<scale>.json and .md")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write JSON to a file, a document a suite and line")
    parser.add_argument("--label", type=label, metavar="NAME", help="put at the end of those files' names")
    parser.add_argument(
        "--only",
        action="append",
        choices=sorted(get_args(Case)),
        metavar="CASE",
        help="a case of ingest; may be repeated",
    )
    given = parser.parse_args(arguments)
    for name in given.suites:
        if name not in SUITES:
            parser.error(f"{name!r} is no suite; there are {', '.join(SUITES)}")
    if given.corpus is not None and not given.corpus.exists():
        parser.error(f"{given.corpus} is not there")
    return Options(
        suites=tuple(dict.fromkeys(given.suites)) or USUAL,
        scale=given.scale,
        rounds=given.rounds or (1 if given.scale > _LARGE else 5),
        calls=given.calls,
        seconds=float(given.seconds),
        corpus=given.corpus,
        data_dir=given.data_dir,
        keep=given.keep or given.data_dir is not None,
        save=given.save,
        label=given.label or "",
        json=given.json,
        only=frozenset(given.only or ()),
    )


def label(text: str) -> str:
    """A word of letters, digits and dots, such as ``lz4``.

    Raises:
        ArgumentTypeError: it is none.
    """
    if not re.fullmatch(r"[a-z0-9.]+", text):
        raise argparse.ArgumentTypeError(f"small letters, digits and dots are expected, such as lz4, not {text!r}")
    return text


def scale(text: str) -> int:
    """A number of workflows: ``10k``, ``1m``, ``50``.

    Raises:
        ArgumentTypeError: it is none.
    """
    factor = _UNITS.get(text[-1:].lower(), 1)
    return positive(text[:-1] if factor > 1 else text, factor)


def positive(text: str, factor: int = 1) -> int:
    """A whole number above 0.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        number = int(text.replace("_", "").replace(",", "")) * factor
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"a whole number above 0 is expected, such as 50 or 10k, not {text!r}")
    return number
