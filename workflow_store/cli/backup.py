"""``workflow-store backup``: backups, made, looked through, restored and proven."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from cyclopts import App, Parameter
from rich.table import Table
from rich.text import Text

from workflow_store.cli.outcomes import Exit, UsageError
from workflow_store.cli.output import COMMON, Common, Flag, Output
from workflow_store.cli.server import command_settings
from workflow_store.cli.standard_input import confirm, need_a_person_or
from workflow_store.cli.wording import count, line, moment, plural, size
from workflow_store.errors import BackupDamaged, BackupError
from workflow_store.operations.backup import (
    Backups,
    Manifest,
    create_backup,
    drill_backup,
    recover_backup,
    restore_backup,
    run_backup,
)
from workflow_store.settings import Settings

backup: App = App(name="backup", help="Make, verify, restore and prove backups, in WORKFLOW_STORE_BACKUP_DIR.")

Name = Annotated[str | None, Parameter(name="NAME")]
Kind: TypeAlias = Literal["archive", "sql", "base", "incremental"]


@backup.command
async def create(*, kind: Kind = "archive", media: bool = True, common: Common = COMMON) -> int:
    """Make a backup of the database and its media files, as they are at one moment; nobody is kept from writing.

    It is there whole, or not at all. Where media files that workflows link to were lost before, the exit code is 1.

    Args:
        kind: archive is written and restored by several processes; sql is statements that any psql reads; base is the
            files of the whole server, from which, with its log, any later moment can be had back; incremental is what
            changed of them since the newest backup of these two kinds.
        media: Also the media files.
    """
    output, settings = common.output, command_settings()
    with output.progress("backing up"):
        made = await create_backup(settings, kind=kind, media=media)
    if output.json:
        output.document(_document(made))
    else:
        output.show(Text(f"made {made.name}: {_in_words(made)}, in {made.seconds:.1f} s"), whole=True)
        if made.media_missing:
            output.note(f"{plural(len(made.media_missing), 'media file')} that workflows link to can't be read")
    return Exit.INCOMPLETE if made.media_missing else Exit.DONE


@backup.command(name="list")
def list_(*, common: Common = COMMON) -> int:
    """List the backups, the newest first. What is damaged shows by `verify`.

    Where the bucket can't be reached, those in the folder are listed, and the exit code is 1.
    """
    output, places = common.output, Backups.of(command_settings())
    complaint = None
    try:
        found = places.list()
    except BackupError as error:
        complaint = error
        places = Backups(places.folder, None)
        found = places.list()
    unread = sorted({*places.names()} - {manifest.name for manifest in found})
    if output.json:
        output.document(
            {
                "folder": str(places.folder.path),
                "bucket": None if places.bucket is None else places.bucket.address,
                "items": [_document(one) for one in found],
                "unreadable": unread,
                "complaint": None if complaint is None else str(complaint),
            }
        )
        return Exit.DONE if complaint is None else Exit.INCOMPLETE
    table = Table("name", "made (UTC)", "kind", "workflows", "media", "size", box=None, pad_edge=False)
    for manifest in found:
        table.add_row(
            Text(manifest.name),
            moment(manifest.created_at),
            manifest.kind,
            count(manifest.tables["workflows"].rows if "workflows" in manifest.tables else 0),
            count(manifest.media),
            size(manifest.size),
        )
    for place in (3, 4, 5):
        table.columns[place].justify = "right"
    output.show(table)
    output.note(f"{plural(len(found), 'backup')} in {places.address}")
    for name in unread:
        output.note(f"{line(name)} has no manifest that can be read")
    if complaint is not None:
        output.note(f"workflow-store: {complaint}")
        return Exit.INCOMPLETE
    return Exit.DONE


@backup.command
async def verify(name: Name = None, /, *, latest: Flag = False, common: Common = COMMON) -> int:
    """Read every byte of a backup and compare it with its manifest. Where it is damaged, the exit code is 1.

    Args:
        name: The backup, as `backup list` shows it.
        latest: The newest.
    """
    output, places = common.output, Backups.of(command_settings())
    chosen = _chosen(places, name, latest=latest)
    try:
        with output.progress("verifying"):
            manifest = await asyncio.to_thread(places.verify, chosen)
    except BackupDamaged as error:
        if output.json:
            output.document({"name": chosen, "good": False, "problems": error.problems})
        else:
            for problem in error.problems:
                output.show(Text(line(problem)), whole=True)
            output.note(f"workflow-store: {chosen} is damaged")
        return Exit.INCOMPLETE
    if output.json:
        output.document({"name": chosen, "good": True, "problems": []})
    else:
        output.show(Text(f"{chosen} is good: {_in_words(manifest)}"), whole=True)
    return Exit.DONE


@backup.command
async def restore(
    name: Name = None,
    /,
    *,
    latest: Flag = False,
    to_time: datetime | None = None,
    drop_old: Flag = False,
    yes: Flag = False,
    common: Common = COMMON,
) -> None:
    """Put a backup in the place of the database, or of the embedded server's data.

    It is verified, read into a fresh database, and compared there with its manifest; only then the two change names.
    The old database is kept under another name, which is told. A base or incremental backup takes the place of the
    embedded server's data folder, brought forward by the server's log as far as it goes or to a moment; the old data
    is kept beside. Asks first; without a terminal to ask on, --yes is needed.

    Args:
        name: The backup, as `backup list` shows it.
        latest: The newest.
        to_time: The moment to go to, such as 2026-05-04T03:02:00Z; of a base or incremental backup only.
        drop_old: Remove the old database instead of keeping it.
        yes: Do not ask.
    """
    output, settings = common.output, command_settings()
    places = Backups.of(settings)
    chosen = _chosen(places, name, latest=latest)
    found = places.find(chosen)
    physical = found is not None and found.is_physical
    if to_time is not None and not physical:
        raise UsageError("--to-time: only a base or incremental backup can be brought to a moment")
    need_a_person_or(yes, "a restore puts something else in the place of what is stored")
    if not yes:
        place = "the embedded server's data" if physical else "the database"
        await confirm(f"put {chosen} in the place of {place}{' and remove what is there' if drop_old else ''}?")
    if physical:
        await _recover(output, chosen, settings, to_time)
        return
    with output.progress("restoring"):
        report = await restore_backup(chosen, settings, drop_old=drop_old)
    if output.json:
        output.document(
            {
                "name": report.name,
                "database": report.database,
                "kept": report.kept,
                "tables": report.tables,
                "media": report.media,
                "seconds": report.seconds,
            }
        )
        return
    workflows = plural(report.tables.get("workflows", 0), "workflow")
    output.show(Text(f"restored {report.name}: {workflows} in {report.seconds:.1f} s"), whole=True)
    if report.kept is not None:
        output.note(f"the old database is kept as {line(report.kept)}; nobody can connect to it")


async def _recover(output: Output, name: str, settings: Settings, to_time: datetime | None) -> None:
    with output.progress("recovering"):
        report = await recover_backup(name, settings, to_time=to_time)
    if output.json:
        output.document({**asdict(report), "to_time": _iso(report.to_time), "last_commit": _iso(report.last_commit)})
        return
    last = f", last commit {report.last_commit:%Y-%m-%d %H:%M:%S.%f} UTC" if report.last_commit is not None else ""
    output.show(Text(f"restored {report.name} in {report.seconds:.1f} s{last}"), whole=True)
    if report.kept is not None:
        output.note(f"the old data is kept in {line(str(report.kept))}")


def _iso(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat()


@backup.command
async def drill(name: Name = None, /, *, latest: Flag = False, common: Common = COMMON) -> None:
    """Restore a backup on a scratch server and prove it equal; what is stored is not touched.

    Rows and contents are compared with the manifest, the server looks at every foreign key, and pg_amcheck at tables
    and indexes. Without a name it is the newest.

    Args:
        name: The backup, as `backup list` shows it.
        latest: The newest.
    """
    output, settings = common.output, command_settings()
    chosen = None if name is None else _chosen(Backups.of(settings), name, latest=latest)
    with output.progress("restoring elsewhere"):
        report = await drill_backup(chosen, settings)
    if output.json:
        output.document(
            {
                "name": report.name,
                "server": report.server,
                "tables": report.tables,
                "media": report.media,
                "checks": report.checks,
                "seconds": report.seconds,
            }
        )
        return
    table = Table("table", "rows", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for table_name, rows in report.tables.items():
        table.add_row(Text(table_name), count(rows))
    output.show(table, Text(f"{report.name} is proven: {', '.join(report.checks)}"), whole=True)


@backup.command
def prune(*, keep_days: int | None = None, common: Common = COMMON) -> None:
    """Remove backups that are too old, but never the last good one.

    Args:
        keep_days: Days; WORKFLOW_STORE_BACKUP_KEEP_DAYS where not given.
    """
    output, settings = common.output, command_settings()
    days = settings.backup_keep_days if keep_days is None else keep_days
    if days < 1:
        raise UsageError("--keep-days: 1 or more")
    removed = Backups.of(settings).prune(days, settings.backup_local_days)
    if output.json:
        output.document({"removed": removed})
    else:
        output.note(f"{plural(len(removed), 'backup')} removed{''.join(f', {name}' for name in removed)}")


@backup.command
async def run(*, kind: Kind = "archive", force: Flag = False, common: Common = COMMON) -> None:
    """What a clock calls: make and verify a backup unless the newest is younger than 20 hours, and remove old ones.

    It may be called as often as one likes, and by several machines: one run at a time is at work on a database.

    Args:
        kind: As for `backup create`.
        force: Make one even if the newest is fresh.
    """
    output = common.output
    report = await run_backup(command_settings(), kind=kind, force=force)
    if output.json:
        made = None if report.made is None else _document(report.made)
        output.document({"made": made, "reason": report.reason, "removed": report.removed})
        return
    if report.made is None:
        output.note(f"no backup was made: {report.reason}")
    else:
        output.show(Text(f"made {report.made.name}: {_in_words(report.made)}"), whole=True)
    if report.removed:
        output.note(f"removed: {', '.join(report.removed)}")


def _chosen(places: Backups, name: str | None, *, latest: bool) -> str:
    if (name is None) != latest:
        raise UsageError("name one backup, or say --latest")
    return places.latest() if name is None else name


def _in_words(manifest: Manifest) -> str:
    workflows = manifest.tables["workflows"].rows if "workflows" in manifest.tables else 0
    media = f", {plural(manifest.media, 'media file')}" if manifest.media else ""
    return f"{plural(workflows, 'workflow')}{media}, {size(manifest.size)}"


def _document(manifest: Manifest) -> dict[str, Any]:
    return {**manifest.model_dump(mode="json", exclude={"files"}), "files": len(manifest.files), "size": manifest.size}
