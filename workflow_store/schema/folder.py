"""The migrations as files: ``NNNN_name.sql``, each with its ``.rollback.sql``, each after the one before."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from workflow_store import resources
from workflow_store.errors import InvalidField, MigrationFailed

BASE = "base"
"""The name of the state before the first migration."""

_NAME = re.compile(r"(?P<number>\d{4})_[a-z0-9_]+\Z")
_DEPENDS = re.compile(r"^\s*--\s*depends\s*:(.*)$", re.MULTILINE)
_ROLLBACK = ".rollback"


@dataclass(frozen=True)
class MigrationFile:
    """One migration on disk.

    Attributes:
        id: file name without its ending.
        path: the file that applies it; the one that rolls it back lies beside it.
    """

    id: str
    path: Path


def migration_files(folder: Path | None = None) -> tuple[MigrationFile, ...]:
    """The migrations of a folder, in order; without one, those of this installation.

    Raises:
        MigrationFailed: a file is misnamed, out of sequence, without a way back, or depends on another than the one
            before it.
        FileNotFoundError: the installation has no migrations.
    """
    folder = folder or resources.folder("migrations")
    stems = sorted(path.stem for path in folder.iterdir() if path.suffix in {".sql", ".py"})
    ids = [stem for stem in stems if not stem.endswith(_ROLLBACK)]
    files = [MigrationFile(name, folder / f"{name}.sql") for name in ids]
    problems = [f"{stem}.sql: rolls back nothing" for stem in stems if stem.removesuffix(_ROLLBACK) not in ids]
    for position, file in enumerate(files):
        problems += _problems(file, position + 1, files[position - 1].id if position else None)
    if problems:
        raise MigrationFailed("; ".join(problems))
    return tuple(files)


def _problems(file: MigrationFile, number: int, before: str | None) -> list[str]:
    name = _NAME.match(file.id)
    if name is None or not file.path.is_file():
        return [f"{file.id}: a migration is named NNNN_name.sql"]
    problems: list[str] = []
    if int(name["number"]) != number:
        problems.append(f"{file.id}: number {number:04d} was expected here")
    if not file.path.with_name(f"{file.id}{_ROLLBACK}.sql").is_file():
        problems.append(f"{file.id}: there is no {file.id}{_ROLLBACK}.sql")
    depends = " ".join(_DEPENDS.findall(file.path.read_text(encoding="utf-8"))).split()
    if depends != ([before] if before else []):
        problems.append(f"{file.id}: must say '-- depends: {before}'" if before else f"{file.id}: depends on nothing")
    return problems


def require_known(files: tuple[MigrationFile, ...], to: str | None, *, base: bool = False) -> None:
    """Check the name of the migration to go to.

    Args:
        files: the migrations there are.
        to: the name; None is accepted.
        base: whether ``base`` is a place to go to.

    Raises:
        InvalidField: there is no such migration.
    """
    allowed = [file.id for file in files] + ([BASE] if base else [])
    if to is not None and to not in allowed:
        raise InvalidField("to", f"no migration {to!r}", allowed)
