"""``workflow-store quarantine``: records that could not be stored."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.text import Text

from workflow_store.cli.ingest import report_document, report_view
from workflow_store.cli.outcomes import Exit, NotFound, UsageError
from workflow_store.cli.output import COMMON, Common, Flag, closed_told
from workflow_store.cli.output_file import output_file
from workflow_store.cli.server import command_settings
from workflow_store.cli.standard_input import confirm, need_a_person_or
from workflow_store.cli.wording import count, identifier, line, moment, paragraph, plural, size
from workflow_store.models import Quarantined
from workflow_store.operations.retrial import retry_quarantine
from workflow_store.store import WorkflowStore

quarantine: App = App(name="quarantine", help="Look at records that could not be stored, retry and delete them.")

_ABBREVIATED = 12
_REASON = 400
_BEGINNING = 2_000

Id = Annotated[str, Parameter(name="ID")]
Ids = Annotated[list[str] | None, Parameter(name="ID...", negative=())]


@quarantine.command(name="list")
async def list_(
    *,
    source: str | None = None,
    limit: int = 20,
    after: str | None = None,
    common: Common = COMMON,
) -> None:
    """List records in quarantine, the last seen first.

    Args:
        source: Only records whose source begins with this, such as a file's path.
        limit: Records in a page, 1 to 1,000.
        after: The cursor that the page before told, with the same --source.
    """
    output = common.output
    async with WorkflowStore.open(command_settings()) as store:
        page = await store.quarantine.list(limit=limit, after=after, source=source)
    if output.json:
        output.document({"items": [_document(record) for record in page.items], "next": page.next})
        return
    if page.items:
        output.show(*_lines(page.items), whole=True)
    else:
        output.show("nothing is in quarantine" if source is None and after is None else "no such records in quarantine")
    if page.next is not None:
        output.note(f"the next page: the same command with --after {page.next}")


@quarantine.command
async def show(
    id: Id,
    /,
    *,
    raw: Flag = False,
    output: Annotated[Path, Parameter(name=("--output", "-o"), allow_leading_hyphen=True)] = Path("-"),
    common: Common = COMMON,
) -> None:
    """Show one record, and the beginning of its bytes. Where there is none, the exit code is 1.

    With `--json` all bytes are in `text`, or where they are not UTF-8, in `hex`.

    Args:
        id: The id, or its first digits, as `quarantine list` shows them.
        raw: Write the very bytes, and nothing else.
        output: The file for --raw; - is standard output.
    """
    screen = common.output
    to_stdout = str(output) == "-"
    if raw and screen.json:
        raise UsageError("--raw writes bytes, --json a document; give one of them")
    if not raw and not to_stdout:
        raise UsageError("--output is for --raw")
    if raw and to_stdout and sys.stdout.isatty():
        raise UsageError("these bytes may be anything, and a terminal would obey them; name a file with --output")
    async with WorkflowStore.open(command_settings()) as store:
        found = await store.quarantine.find(id)
        record = None if found is None else await store.quarantine.get(found)
    if record is None:
        raise NotFound(f"there is no record {id!r} in quarantine")
    bytes_ = record.raw or b""
    if raw:
        with nullcontext(sys.stdout.buffer) if to_stdout else output_file(output) as target, closed_told():
            target.write(bytes_)
        if not to_stdout:
            screen.note(f"{size(len(bytes_))} in {output}")
    elif screen.json:
        screen.document({**_document(record), **_bytes_document(bytes_)})
    else:
        screen.show(*_view(record), whole=True)


@quarantine.command
async def retry(
    ids: Ids = None,
    /,
    *,
    source: str | None = None,
    overwrite: Flag = False,
    common: Common = COMMON,
) -> int:
    """Read records again, with the settings of now, and store what can be stored; it leaves quarantine.

    What still can't be stored stays, with the reason it has now, and the exit code is 1.

    Args:
        ids: Ids, or their first digits, as `quarantine list` shows them; without any, all records.
        source: Only records whose source begins with this.
        overwrite: Store all of a record, also where its workflow was stored, or seen unchanged, since then. Without it
            only parts that are not stored are taken in that case.
    """
    output = common.output
    if ids and source is not None:
        raise UsageError("give ids or --source, not both")
    async with WorkflowStore.open(command_settings()) as store:
        wanted, missing = await _resolved(store, ids or ())
        report = await retry_quarantine(store, wanted if ids else None, source=source, overwrite=overwrite)
    if output.json:
        output.document({**report_document(report), "missing": missing})
    else:
        output.show(report_view(report, "stay in quarantine"))
        for id in missing:
            output.note(f"workflow-store: there is no record {identifier(id)} in quarantine")
    return Exit.INCOMPLETE if report.rejected or missing else Exit.DONE


@quarantine.command
async def purge(
    ids: Ids = None,
    /,
    *,
    older_than: timedelta | None = None,
    source: str | None = None,
    everything: Flag = False,
    yes: Flag = False,
    common: Common = COMMON,
) -> int:
    """Delete records from quarantine for good, with their bytes.

    Asks first. Without a terminal to ask on, --yes is needed. Where one of the ids was not there, the exit code is 1;
    the others are deleted.

    Args:
        ids: Ids, or their first digits, as `quarantine list` shows them.
        older_than: Records that were last seen so long ago, such as 30d or 12h.
        source: Records whose source begins with this.
        everything: All records.
        yes: Do not ask.
    """
    output = common.output
    named = older_than is not None or source is not None
    if bool(ids) + named + everything != 1:
        raise UsageError("name what to delete: ids, or --older-than and --source, or --everything")
    need_a_person_or(yes, "what is deleted is gone")
    async with WorkflowStore.open(command_settings()) as store:
        wanted, missing = await _resolved(store, ids or ())
        if not yes:
            what = plural(len(wanted), "record") if ids else "all of these records" if named else "all records"
            await confirm(f"Delete {what} from quarantine?")
        if ids:
            deleted = await store.quarantine.purge(wanted)
        elif everything:
            deleted = await store.quarantine.purge(everything=True)
        else:
            deleted = await store.quarantine.purge(older_than=older_than, source=source)
    if output.json:
        output.document({"deleted": deleted, "missing": missing})
    else:
        output.show(f"{plural(deleted, 'record')} deleted")
        for id in missing:
            output.note(f"workflow-store: there is no record {identifier(id)} in quarantine")
    return Exit.INCOMPLETE if missing else Exit.DONE


async def _resolved(store: WorkflowStore, ids: Sequence[str]) -> tuple[list[str], list[str]]:
    """The full ids of those that are there, and those that are not."""
    found = [(id, await store.quarantine.find(id)) for id in dict.fromkeys(ids)]
    return [full for _, full in found if full is not None], [id for id, full in found if full is None]


def _lines(records: Sequence[Quarantined]) -> Iterator[Text]:
    # Sources whole, as they are needed: a rich table would shorten them.
    yield Text(f"{'id':<{_ABBREVIATED}}  last seen (UTC)   times  {'size':>8}  source", style="bold")
    for record in records:
        facts = f"{moment(record.last_seen_at)}  {count(record.times_seen):>5}  {size(record.length):>8}"
        yield Text.assemble(
            (record.id[:_ABBREVIATED], "cyan"), "  ", facts, "  ", identifier(record.source), "\n    ",
            line(record.reason, _REASON),
        )  # fmt: skip


def _view(record: Quarantined) -> Iterator[Text]:
    rows = (
        ("id", record.id),
        ("source", identifier(record.source)),
        ("position", count(record.position)),
        ("workflow", identifier(record.workflow_id or "")),
        ("reason", paragraph(record.reason)),
        ("times seen", count(record.times_seen)),
        ("first seen", moment(record.first_seen_at)),
        ("last seen", moment(record.last_seen_at)),
        ("size", size(record.length) + ("" if record.kept == record.length else f", {size(record.kept)} kept")),
    )
    for name, value in rows:
        if value:
            yield Text.assemble((f"{name:<12}", "bold"), value)
    raw = record.raw or b""
    if raw:
        # A character of four bytes may be cut in the middle.
        beginning = raw[:_BEGINNING].decode("utf-8", "replace")
        yield Text(f"\n{paragraph(beginning)}{' …' if len(raw) > _BEGINNING else ''}")


def _document(record: Quarantined) -> dict[str, Any]:
    facts = asdict(record)
    del facts["raw"]
    return {
        **facts,
        "first_seen_at": record.first_seen_at.isoformat(),
        "last_seen_at": record.last_seen_at.isoformat(),
    }


def _bytes_document(raw: bytes) -> dict[str, str]:
    try:
        return {"text": raw.decode("utf-8")}
    except UnicodeDecodeError:
        return {"hex": raw.hex()}
