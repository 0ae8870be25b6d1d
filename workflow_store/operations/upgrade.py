"""Move an embedded data folder to the installed major version of PostgreSQL.

The old server writes everything it has into one file, a new cluster reads it, and what the new one holds is compared,
table by table and byte by byte, with the file. Only then do the two change places. The old cluster is kept.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from workflow_store.embedded.account import server_account
from workflow_store.embedded.binaries import Binaries, find_binaries
from workflow_store.embedded.cluster import Cluster, sync_folder
from workflow_store.embedded.folder import PORT, ROLE, DataFolder, default_data_dir
from workflow_store.embedded.locks import Hold, start_lock
from workflow_store.embedded.older import find_older
from workflow_store.errors import EmbeddedError
from workflow_store.settings import Settings

_LOCK_WAIT = 10.0
_START_WAIT = 600.0
# The new cluster counts for nothing until it is complete; then all of it is brought to the disk at once.
_UNTIL_SYNCED = {"fsync": "off", "full_page_writes": "off", "wal_level": "minimal", "max_wal_senders": "0"}
_DUPLICATE_OBJECT = "42710"


@dataclass(frozen=True)
class UpgradeReport:
    """What an upgrade did.

    Attributes:
        old_version: of the server that made the data, such as ``15.14``.
        new_version: of the server that has it now.
        data_dir: the data folder.
        kept: the old cluster, untouched; remove it when the new one has proven itself.
        tables: rows of each table, keyed ``database.schema.table``; the same before and after.
        seconds: how long it took.
    """

    old_version: str
    new_version: str
    data_dir: Path
    kept: Path
    tables: Mapping[str, int]
    seconds: float


@dataclass(frozen=True)
class TableContent:
    """What a dump holds of one table."""

    rows: int
    digest: bytes


def upgrade_server(data_dir: Path | None = None, *, old_bin_dir: Path | None = None) -> UpgradeReport:
    """Dump with the old server, restore into a new cluster, compare, and let the new one take the old one's place.

    Args:
        data_dir: without one, ``WORKFLOW_STORE_DATA_DIR``, else the default folder.
        old_bin_dir: programs of the old version; without one, the usual places are searched.

    Raises:
        EmbeddedUnavailable: one of the two servers can't run here.
        EmbeddedError: the folder is in use, has nothing to upgrade, or a step failed. The old cluster is where it was;
            the message says so.
    """
    began = time.monotonic()
    account = server_account()
    binaries = find_binaries(account)
    folder = DataFolder.prepare(data_dir or Settings.load().data_dir or default_data_dir(), account)
    with start_lock(folder.start_lock, began + _LOCK_WAIT):
        hold = Hold(folder.hold_lock)
        try:
            if not hold.is_last():
                raise EmbeddedError(f"{folder.home} is in use; end the programs that use it and try again")
            folder.clean()
            older = find_older(_old_major(folder, binaries), account, old_bin_dir)
            try:
                fresh, tables = _rebuild(folder, older, binaries)
            except Exception as error:
                folder.clean()
                raise EmbeddedError(
                    f"the upgrade from PostgreSQL {older.version} to {binaries.version} failed and changed nothing: "
                    f"the data is in {folder.cluster}, as it was. {error}"
                ) from error
            kept = swap(folder, fresh, f"data.pg{older.major}")
            folder.clean()
        finally:
            hold.close()
    return UpgradeReport(older.version, binaries.version, folder.home, kept, tables, round(time.monotonic() - began, 3))


def _old_major(folder: DataFolder, binaries: Binaries) -> int:
    major = folder.major()
    if major is None:
        raise EmbeddedError(f"{folder.home} holds no data to upgrade")
    if major == binaries.major:
        raise EmbeddedError(f"{folder.cluster} is of PostgreSQL {major} already")
    if major > binaries.major:
        folder.require_major(binaries.major)
    return major


def _rebuild(folder: DataFolder, older: Binaries, newer: Binaries) -> tuple[Path, dict[str, int]]:
    """Build the new cluster in a temporary folder; returns its path and the rows of each table."""
    work = folder.temporary("upgrade")
    socket_dir = folder.socket_dir()
    old = Cluster(folder, older, folder.cluster, socket_dir)
    new = Cluster(folder, newer, work / "data", socket_dir)

    if old.pid() is not None:
        old.stop()  # its holders were killed
    roles = tuple(dict.fromkeys((ROLE, "postgres", old.account.name)))
    try:
        old.start({}, time.monotonic() + _START_WAIT, roles=roles)
        _dump_as_one_of(roles, old, newer, work / "dump.sql")
    finally:
        old.stop()
    before = _contents(work / "dump.sql")

    new.create(durable=False)
    try:
        new.start(_UNTIL_SYNCED, time.monotonic() + _START_WAIT)
        _restore(new, work / "dump.sql")
        _dump(new, newer, ROLE, work / "again.sql")
        # A dump does not carry the planner's statistics.
        _tool(new, [newer["vacuumdb"], *_login(new, ROLE), "--all", "--analyze-only", "--quiet"])
    finally:
        new.stop()
    after = _contents(work / "again.sql")
    if before != after:
        wrong = sorted(table for table in before.keys() | after.keys() if before.get(table) != after.get(table))
        raise EmbeddedError(f"what was restored is not what was dumped: {', '.join(wrong)}")
    new.sync()
    return new.path, {table: content.rows for table, content in before.items()}


def swap(folder: DataFolder, fresh: Path, label: str) -> Path:
    """Let the new cluster take the old one's place; returns where the old one is kept."""
    kept = folder.home / f"{label}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    try:
        if folder.finished_upgrade.exists():
            shutil.rmtree(folder.finished_upgrade)
        # A death between these renames leaves data.new and no data; the next start finishes it.
        fresh.rename(folder.finished_upgrade)
        if folder.cluster.exists():
            folder.cluster.rename(kept)
        folder.finished_upgrade.rename(folder.cluster)
        sync_folder(folder.home)
    except OSError as error:
        raise EmbeddedError(
            f"the new data is complete but not in place: {error}; the old data is in "
            f"{kept if kept.exists() else folder.cluster}, the new data in {folder.finished_upgrade}"
        ) from error
    return kept


def _dump_as_one_of(roles: Iterable[str], old: Cluster, newer: Binaries, target: Path) -> None:
    """Dump as the first role that may; a cluster that was made elsewhere may call its superuser differently."""
    refusals: list[str] = []
    for role in roles:
        refusal = old.refusal(role)
        if refusal is None:
            try:
                return _dump(old, newer, role, target)
            except EmbeddedError as error:
                refusal = str(error)
        refusals.append(f"{role}: {refusal}")
    raise EmbeddedError(f"no role could dump the old data: {'; '.join(refusals)}")


def _dump(server: Cluster, newer: Binaries, role: str, target: Path) -> None:
    # The newer program writes what the newer server reads.
    command = [newer["pg_dumpall"], *_login(server, role), "--quote-all-identifiers", "--file", target]
    _tool(server, command)


def _restore(new: Cluster, dump: Path) -> None:
    """Run the dump; the only complaint that is taken is that the cluster's first role exists."""
    command = [new.binaries["psql"], *_login(new, ROLE), "--no-psqlrc", "--quiet", "--set", "VERBOSITY=sqlstate"]
    said = _tool(new, [*command, "--output", "/dev/null", "--dbname", "postgres", "--file", dump])
    errors = [line for line in said.splitlines() if "ERROR:" in line or "FATAL:" in line]
    unexpected = [line for line in errors if not line.rstrip().endswith(_DUPLICATE_OBJECT)]
    if unexpected or len(errors) > 1:
        raise EmbeddedError(f"the new server refused a part of the dump: {'; '.join((unexpected or errors)[:5])}")


def _login(server: Cluster, role: str) -> list[str | Path]:
    return ["--host", server.socket_dir, "--port", str(PORT), "--username", role, "--no-password"]


def _tool(server: Cluster, command: Sequence[str | Path]) -> str:
    """Run a client program as the server's user, for as long as it takes; returns what it said on stderr."""
    done = server.run(command, timeout=None)
    if done.returncode != 0:
        raise EmbeddedError(f"{Path(command[0]).name} failed: {done.stderr.strip()[-2000:]}")
    return done.stderr


def _contents(dump: Path) -> dict[str, TableContent]:
    with dump.open("rb") as lines:
        return content_of_dump(lines)


def content_of_dump(lines: Iterable[bytes]) -> dict[str, TableContent]:
    """What a plain dump of all databases holds, keyed ``database.schema.table``."""
    found: dict[str, TableContent] = {}
    database, table, rows, digest = "postgres", None, 0, hashlib.sha256()
    for line in lines:
        if table is not None:
            if line == b"\\.\n":
                found[table] = TableContent(rows, digest.digest())
                table = None
            else:
                rows += 1
                digest.update(line)
        elif line.startswith(b"COPY ") and line.endswith(b" FROM stdin;\n"):
            name = line[len(b"COPY ") :].split(b" (", 1)[0].decode("utf-8", "replace").replace('"', "")
            table, rows, digest = f"{database}.{name}", 0, hashlib.sha256(line)
        elif line.startswith(b"\\connect "):
            database = line.split()[-1].decode("utf-8", "replace").replace('"', "")
    return found
