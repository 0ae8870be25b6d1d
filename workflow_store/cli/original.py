"""``workflow-store import-original``: the tables of the SQLAlchemy layer into the store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from workflow_store.cli.ingest import BatchSize, Connections, ingest_and_report, ingest_settings
from workflow_store.cli.outcomes import UsageError
from workflow_store.cli.output import COMMON, Common
from workflow_store.cli.standard_input import contents
from workflow_store.importers import read_original
from workflow_store.ingest import Mode, OnError

_VARIABLE: Final = "WORKFLOW_STORE_ORIGINAL_DSN"


async def import_original(
    *,
    dsn_file: Path | None = None,
    schema: str = "public",
    mode: Mode = "upsert",
    on_error: OnError = "quarantine",
    batch_size: BatchSize = None,
    connections: Connections = None,
    touch: bool = True,
    common: Common = COMMON,
) -> int:
    """Store what the SQLAlchemy layer stored: workflows, their three layers, and transcripts in the order of their ids.

    Its database is named by `WORKFLOW_STORE_ORIGINAL_DSN`, or by a file; never by an argument, which everybody on the
    machine could read. It is read in one snapshot, a few rows at a time, in a transaction that can't write; it may be
    the database of the store. Run it as often as you like: what is stored already is left alone. A row that can't be
    stored goes to quarantine with its reason, and the exit code is 1.

    Args:
        dsn_file: A file that holds the URI of the original's database; a hyphen is standard input.
        schema: The schema of the original's tables.
        mode: What to do with a workflow that is stored already. upsert: merge it. skip: leave it alone. insert: refuse
            it, as --on-error says.
        on_error: quarantine: put a bad row aside and go on. raise: stop there; nothing of its batch is stored.
        batch_size: Workflows in one transaction.
        connections: Batches that are written at the same time.
        touch: Note that an unchanged workflow was seen; --no-touch leaves it wholly alone.
    """
    settings = ingest_settings(connections)
    source = read_original(await _dsn(dsn_file), schema=schema, settings=settings)
    options: dict[str, Any] = {
        "mode": mode,
        "on_error": on_error,
        "batch_size": batch_size,
        "connections": connections,
        "touch": touch,
    }
    return await ingest_and_report(settings, source, common.output, **options)


async def _dsn(file: Path | None) -> SecretStr:
    if file is None:
        given = os.environ.get(_VARIABLE, "").strip()
        if not given:
            raise UsageError(f"which database? Set {_VARIABLE}, or name a file that holds its URI with --dsn-file")
        return SecretStr(given)
    try:
        given = (await contents(file)).decode("utf-8").strip()
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not UTF-8") from None
    if not given:
        raise UsageError(f"{file} is empty; the URI of the original's database is expected")
    return SecretStr(given)
