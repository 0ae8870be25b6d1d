"""A dump: where it lies in a backup, and how it is read into an empty database."""

from __future__ import annotations

import asyncio
import gzip
import os
import re
from collections.abc import AsyncGenerator, Iterable, Mapping
from pathlib import Path
from typing import Final

from workflow_store.operations.backup.manifest import Manifest
from workflow_store.operations.backup.programs import Programs, database_argument

DUMPS: Final[Mapping[str, str]] = {"archive": "dump", "sql": "dump.sql.gz"}

_PIECE: Final = 256 * 1024
_NOBODYS: Final = ("--no-owner", "--no-acl")
_STATEMENTS: Final = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction")

# What a dump says of the server it is of, and another server does not know: a timeout that came with version 17, and a
# mark that some minor versions put on the columns they have analysed, which the programs of others dump.
_FOREIGN: Final = rb"SET transaction_timeout = 0;|ALTER TABLE ONLY \S+ ALTER COLUMN \S+ SET \(pg_attver=[0-9]+\);"
# One built without it can't be told to compress by it; reading does not depend on how a value is compressed.
_LZ4: Final = rb"|ALTER TABLE ONLY \S+ ALTER COLUMN \S+ SET COMPRESSION lz4;"


async def read_dump(programs: Programs, manifest: Manifest, folder: Path, dsn: str, *, lz4: bool) -> None:
    """Read the dump of a backup into an empty database.

    Args:
        lz4: whether the server can compress by it.

    Raises:
        BackupError: a program failed.
    """
    target = f"--dbname={database_argument(dsn)}"
    dump = folder / DUMPS[manifest.kind]
    foreign = re.compile(_FOREIGN if lz4 else _FOREIGN + _LZ4)
    if manifest.kind == "sql":
        await programs.run(dsn, "psql", *_STATEMENTS, target, feed=_statements(dump, foreign))
        return
    definitions = await programs.run(dsn, "pg_restore", *_NOBODYS, "--section=pre-data", "--file=-", str(dump))
    await programs.run(dsn, "psql", *_STATEMENTS, target, feed=_definitions(definitions, foreign))
    jobs = f"--jobs={max(1, min(4, os.cpu_count() or 1))}"
    for section in ("data", "post-data"):
        await programs.run(
            dsn, "pg_restore", "--exit-on-error", *_NOBODYS, f"--section={section}", jobs, target, str(dump)
        )


async def _definitions(text: str, foreign: re.Pattern[bytes]) -> AsyncGenerator[bytes]:
    yield b"".join(_without(foreign, text.encode().splitlines(keepends=True)))


async def _statements(path: Path, foreign: re.Pattern[bytes]) -> AsyncGenerator[bytes]:
    with gzip.open(path, "rb") as file:
        # The definitions come first. What stands after the first COPY is rows, and no line of those is looked at.
        before = await asyncio.to_thread(_until_rows, file)
        yield b"".join(_without(foreign, before))
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece


def _until_rows(file: gzip.GzipFile) -> list[bytes]:
    lines: list[bytes] = []
    for line in file:
        lines.append(line)
        if line.startswith(b"COPY "):
            break
    return lines


def _without(foreign: re.Pattern[bytes], lines: Iterable[bytes]) -> Iterable[bytes]:
    return (line for line in lines if not foreign.fullmatch(line.rstrip()))
