"""The statements that only measurements need: one a file in ``benchmarks/sql``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent / "sql"


@cache
def text(name: str) -> str:
    """The text of ``benchmarks/sql/<name>.sql``.

    Raises:
        FileNotFoundError: there is no such file.
    """
    return (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")


@cache
def body(name: str) -> str:
    """The text without its comments, as the beginning of another statement."""
    return "\n".join(line for line in text(name).splitlines() if not line.startswith("--"))
