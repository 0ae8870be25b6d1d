"""psql and ``\\copy`` of binary files that were written beforehand: what the server takes when no client thinks."""

from __future__ import annotations

import asyncio
import os
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.copy import Copy, FileWriter

from benchmarks.contestants.contestant import CONNECTIONS, Case, LeftOut
from benchmarks.contestants.psycopg_copy import Types, column_types, with_jsonb
from benchmarks.contestants.rows import SCHEMA, TABLES, rows_of
from benchmarks.given import Given
from benchmarks.statements import body
from workflow_store.embedded.binaries import bin_dir
from workflow_store.errors import EmbeddedUnavailable
from workflow_store.queries.parameters import Encoded

_VARIABLES: Final = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
}


class PsqlCopy:
    """One psql a connection, each with its part of the workflows in one transaction and a file a table."""

    share = 1
    cases: frozenset[Case] = frozenset(("fresh",))

    def __init__(self, connections: int = CONNECTIONS) -> None:
        self._count = connections
        self.name = "psql \\copy" if connections == CONNECTIONS else "psql \\copy, 1 connection"
        self._program = Path()
        self._environment: dict[str, str] = {}
        self._dsn = ""
        self._types: Types = {}
        self._scripts: dict[str, list[Path]] = {}
        self._prepared: list[Path] = []

    async def open(self, dsn: str) -> None:
        self._program = psql()
        self._dsn = dsn
        self._environment = {**os.environ, **environment_of(dsn), "PGOPTIONS": ""}
        with psycopg.connect(dsn) as connection:
            self._types = column_types(connection)

    async def prepare(self, case: Case, given: Given) -> None:
        if given.name not in self._scripts:
            size = -(-len(given) // self._count)
            parts = [given.records[start : start + size] for start in range(0, len(given), size)]
            self._scripts[given.name] = [
                self._write(part, given.folder / f"{given.name}-{self._count}-{number}")
                for number, part in enumerate(parts)
            ]
        self._prepared = self._scripts[given.name]

    async def run(self, case: Case) -> None:
        await asyncio.gather(*(self._copy(script) for script in self._prepared))

    async def empty(self) -> None:
        return

    async def close(self) -> None:
        return

    async def _copy(self, script: Path) -> None:
        process = await asyncio.create_subprocess_exec(
            *(self._program, "-X", "-q", "--single-transaction", "-v", "ON_ERROR_STOP=1", "-f", script),
            env=self._environment,
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
        )
        _, answer = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"{self._program.name}: {answer.decode('utf-8', 'replace').strip()}")

    def _write(self, records: Sequence[Encoded], folder: Path) -> Path:
        folder.mkdir(parents=True)
        lines: list[str] = []
        with psycopg.connect(self._dsn) as connection:
            for table, rows in with_jsonb(rows_of(records)).items():
                path = folder / f"{table}.bin"
                with (
                    path.open("wb") as file,
                    Copy(connection.cursor(), binary=True, writer=FileWriter(file)) as copy,
                ):
                    copy.set_types(self._types[table])
                    for row in rows:
                        copy.write_row(row)
                columns = ", ".join(TABLES[table])
                lines.append(body("copy_file").format(schema=SCHEMA, table=table, columns=columns, path=path))
        script = folder / "copy.sql"
        script.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return script


def psql() -> Path:
    """The psql of the embedded server, else that of the machine.

    Raises:
        LeftOut: there is none.
    """
    with suppress(EmbeddedUnavailable):
        program = bin_dir() / "psql"
        if program.is_file():
            return program
    found = shutil.which("psql")
    if found is None:
        raise LeftOut("there is no psql, neither of the embedded server nor of the machine")
    return Path(found)


def environment_of(dsn: str) -> dict[str, str]:
    """The variables by which psql connects: a password on its command line could be read by others."""
    parts = conninfo_to_dict(dsn)
    return {variable: str(parts[name]) for name, variable in _VARIABLES.items() if parts.get(name)}
