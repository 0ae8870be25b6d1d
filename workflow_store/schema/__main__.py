"""``python -m workflow_store.schema``: the child process of the schema's functions, and the dump for the repository.

The DSN comes from ``WORKFLOW_STORE_SCHEMA_DSN``. ``dump`` writes SQL; the others write one JSON document: what was done
(exit code 0), or ``{"error": {"type", "message", "sqlstate"}}`` (exit code 1).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from pathlib import Path

from workflow_store.errors import MigrationFailed, StoreError
from workflow_store.schema import migrator
from workflow_store.schema.child import DSN_VARIABLE
from workflow_store.schema.door import COMPRESSIONS
from workflow_store.schema.dump import dump_schema
from workflow_store.schema.folder import migration_files, require_known
from workflow_store.schema.secret import require_uri, scrub


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workflow_store.schema", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name in ("migrate", "rollback", "status", "drop"):
        verb = verbs.add_parser(name)
        verb.add_argument("--lock-timeout", type=float, default=60.0)
        verb.add_argument("--folder", type=Path)
    verbs.choices["migrate"].add_argument("--to")
    verbs.choices["migrate"].add_argument("--compression", choices=COMPRESSIONS, default="auto")
    verbs.choices["migrate"].add_argument("--language", default="english")
    verbs.choices["rollback"].add_argument("--to")
    verbs.choices["rollback"].add_argument("--steps", type=int, default=1)
    verbs.add_parser("dump").add_argument("--pg-dump", type=Path)
    return parser


def _run(options: argparse.Namespace, dsn: str) -> str:
    require_uri(dsn)
    if options.verb == "dump":
        return dump_schema(dsn, pg_dump=options.pg_dump)
    if options.verb == "drop":
        migrator.drop(dsn, lock_timeout=options.lock_timeout)
        return "{}\n"
    files = migration_files(options.folder)
    if options.verb == "status":
        return migrator.status(dsn, files).model_dump_json() + "\n"
    require_known(files, options.to, base=options.verb == "rollback")
    if options.verb == "rollback":
        report = migrator.rollback(dsn, files, to=options.to, steps=options.steps, lock_timeout=options.lock_timeout)
    else:
        report = migrator.migrate(
            dsn,
            files,
            to=options.to,
            compression=options.compression,
            language=options.language,
            lock_timeout=options.lock_timeout,
        )
    return report.model_dump_json() + "\n"


def _error(error: Exception, dsn: str) -> str:
    known = isinstance(error, StoreError)
    told = {
        "type": type(error).__name__ if known else MigrationFailed.__name__,
        "message": scrub(str(error) if known else f"{type(error).__name__}: {error}", dsn),
        "sqlstate": getattr(error, "sqlstate", None),
    }
    return json.dumps({"error": told}) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Run one verb and return the exit code."""
    options = _parser().parse_args(arguments)
    dsn = os.environ.pop(DSN_VARIABLE, "")
    code = 0
    # yoyo prints the rows of a step that returns some; standard output is for the one document.
    with contextlib.redirect_stdout(sys.stderr):
        try:
            answer = _run(options, dsn)
        except Exception as error:
            answer, code = _error(error, dsn), 1
    sys.stdout.write(answer)
    return code


if __name__ == "__main__":
    sys.exit(main())
