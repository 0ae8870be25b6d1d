"""Where the ``.sql`` files are: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


@cache
def folder(name: str) -> Path:
    """The folder ``sql`` or ``migrations``.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    for candidate in (_PACKAGE / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"the folder {name!r} is missing from this installation of workflow-store")


@cache
def statement(name: str) -> str:
    """The text of ``sql/<name>.sql``, its opening comment included.

    Raises:
        FileNotFoundError: there is no such file.
    """
    return (folder("sql") / f"{name}.sql").read_text(encoding="utf-8")
