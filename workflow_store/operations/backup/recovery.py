"""Recovery: the embedded server's files from a base backup, brought forward by its log to any moment."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg

from workflow_store.embedded.account import server_account
from workflow_store.embedded.archiving import WAL, archive_options
from workflow_store.embedded.binaries import find_binaries
from workflow_store.embedded.cluster import Cluster
from workflow_store.embedded.folder import DataFolder, default_data_dir, dsn
from workflow_store.embedded.locks import Hold, start_lock
from workflow_store.errors import BackupDamaged, BackupError, EmbeddedError
from workflow_store.operations.backup.folder import BASE, BackupFolder
from workflow_store.operations.backup.manifest import Manifest
from workflow_store.operations.backup.places import Backups
from workflow_store.operations.backup.restoration import put_back_media, require_known
from workflow_store.operations.upgrade import swap
from workflow_store.resources import statement
from workflow_store.settings import Settings

_LOCK_WAIT: Final = 10.0
_RECOVERED_WITHIN: Final = 6 * 3600.0
_POLL: Final = 0.1
_AUTO: Final = "postgresql.auto.conf"


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What a recovery did.

    Attributes:
        name: of the backup it began with.
        data_dir: of the embedded server that has the data now.
        kept: the cluster that was there before, if there was one.
        to_time: the moment that was asked for; None is as far as the log goes.
        last_commit: when the last transaction that is in it was committed.
        media: media files that were put back.
        seconds: how long it took.
    """

    name: str
    data_dir: Path
    kept: Path | None
    to_time: datetime | None
    last_commit: datetime | None
    media: int
    seconds: float


async def recover_backup(
    name: str, settings: Settings | None = None, *, to_time: datetime | None = None, **overrides: Any
) -> RecoveryReport:
    """Put the embedded server's data back, as it was at a moment.

    Backup and log are verified and brought to that moment in a folder of their own, which then takes the place of the
    data folder's cluster; the old one is kept beside. Nobody may be using the server.

    Args:
        name: of a ``base`` or ``incremental`` backup from before the moment.
        settings: read from the environment and the settings file where not given; ``data_dir``, ``backup_dir``.
        to_time: the moment; a time without a zone is UTC. Without it, as far as the log goes.
        overrides: single settings by name.

    Raises:
        BackupError: there is none of this name, or of another kind, or the log does not reach the moment.
        BackupDamaged: a backup of the chain is not what its manifest says.
        EmbeddedError: the server is in use, or can't run here.
    """
    chosen = Settings.chosen(settings, overrides)
    if chosen.dsn is not None:
        raise BackupError("a server's files are restored where they lie: this is for the embedded server")
    moment = to_time.replace(tzinfo=UTC) if to_time is not None and to_time.tzinfo is None else to_time
    places = Backups.of(chosen)
    folder = places.folder
    begun = time.monotonic()
    chain = await asyncio.to_thread(folder.chain, await asyncio.to_thread(places.at_hand, name))
    if not chain[-1].is_physical:
        raise BackupError(f"{name} is not of a server's files: `restore_backup` restores it")
    if moment is not None and moment < chain[-1].created_at:
        raise BackupError(f"{name} was made at {chain[-1].created_at:%Y-%m-%d %H:%M:%S} UTC, after that moment")
    require_known(chain[-1])
    work = asyncio.get_running_loop().run_in_executor(None, _recover, chosen, folder, chain, moment)
    # A thread can't be stopped: the caller who is cancelled still waits for the folder to be in order.
    home, kept, last_commit = await asyncio.shield(work)
    media = await put_back_media(folder.place(name), chosen)
    return RecoveryReport(name, home, kept, moment, last_commit, media, round(time.monotonic() - begun, 3))


def _recover(
    settings: Settings, backups: BackupFolder, chain: Sequence[Manifest], moment: datetime | None
) -> tuple[Path, Path | None, datetime | None]:
    account = server_account()
    binaries = find_binaries(account)
    major = chain[-1].server_major
    if binaries.major != major:
        raise BackupError(f"{chain[-1].name} is of PostgreSQL {major}, and the embedded server is {binaries.version}")
    folder = DataFolder.prepare(settings.data_dir or default_data_dir(), account)
    with start_lock(folder.start_lock, time.monotonic() + _LOCK_WAIT):
        hold = Hold(folder.hold_lock)
        try:
            if not hold.is_last():
                raise EmbeddedError(f"{folder.home} is in use; end the programs that use it and try again")
            folder.clean()
            there = Cluster(folder, binaries, folder.cluster, folder.socket_dir())
            if there.pid() is not None:
                there.stop()  # its holders were killed
            fresh = folder.temporary("restore") / "data"
            try:
                _assemble(binaries.folder, [backups.path / link.name / BASE for link in chain], fresh)
                cluster = Cluster(folder, binaries, fresh, folder.socket_dir())
                last_commit = _bring_forward(cluster, settings, backups.path / WAL, moment)
            except BaseException:
                folder.clean()
                raise
            kept = swap(folder, fresh, "data.before-restore")
            folder.clean()
        finally:
            hold.close()
    return folder.home, kept if kept.exists() else None, last_commit


def _assemble(programs: Path, bases: Sequence[Path], target: Path) -> None:
    """One whole set of files, of a base and what changed since; each is verified by the server's own manifest."""
    for base in bases:
        # The log beside it is verified by the server when it reads it.
        _tool([programs / "pg_verifybackup", "--no-parse-wal", "--quiet", base], "is damaged")
    if len(bases) == 1:
        shutil.copytree(bases[0], target)
    else:
        _tool([programs / "pg_combinebackup", "--output", target, *bases], "can't be combined")


def _bring_forward(cluster: Cluster, settings: Settings, log: Path, moment: datetime | None) -> datetime | None:
    """Start the server on the files until it has replayed its log; what it committed last."""
    _own(cluster)
    auto = cluster.path / _AUTO
    before = auto.read_bytes()
    source = shlex.quote(os.fspath(log)).replace("%", "%%")
    lines = [f"restore_command = '{_quoted(f'cp {source}/%f %p')}'", "recovery_target_timeline = 'latest'"]
    if moment is not None:
        lines.append(f"recovery_target_time = '{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f+00}'")
        lines.append("recovery_target_action = 'promote'")
    auto.write_bytes(before + "".join(f"{line}\n" for line in lines).encode())
    (cluster.path / "recovery.signal").touch()
    _own(cluster)
    deadline = time.monotonic() + _RECOVERED_WITHIN
    try:
        cluster.start(archive_options(settings), deadline)
        with psycopg.connect(dsn(cluster.socket_dir, "postgres"), autocommit=True) as connection:
            while True:
                cursor = connection.execute(statement("backup/recovery").encode())
                row = cursor.fetchone()
                assert row is not None
                if not row[0]:
                    break
                if time.monotonic() > deadline:
                    raise BackupError("the log is not replayed in time")
                time.sleep(_POLL)
    except (EmbeddedError, psycopg.Error) as error:
        raise BackupError(f"the log can't be replayed to that moment: {' '.join(str(error).split())}") from None
    finally:
        cluster.stop()
    auto.write_bytes(before)
    return row[1] if isinstance(row[1], datetime) else None


def _own(cluster: Cluster) -> None:
    cluster.path.chmod(0o700)
    for parent, folders, files in os.walk(cluster.path):
        for name in (*folders, *files):
            cluster.account.own(Path(parent) / name)
    cluster.account.own(cluster.path)


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _tool(command: Sequence[str | Path], complaint: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode != 0:
        name = Path(command[-1]).parent.name
        raise BackupDamaged(name, [f"{complaint}: {' '.join(done.stderr.split())[-500:]}"])
