"""``workflow-store ingest``: files and folders into the store."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from workflow_store.cli.outcomes import Exit, exit_of
from workflow_store.cli.output import COMMON, Common, Flag, Output
from workflow_store.cli.server import command_settings
from workflow_store.cli.wording import count, line, plural, size
from workflow_store.errors import IngestError, StoreError
from workflow_store.importers import IdFrom, Limits, read_paths
from workflow_store.ingest import Mode, OnError, Source
from workflow_store.models import IngestReport
from workflow_store.settings import Settings
from workflow_store.store import WorkflowStore

_SHOWN_REJECTIONS = 10
_SHOWN_NOTICES = 5

BatchSize = Annotated[int | None, Parameter(show_default=lambda _: "250, or WORKFLOW_STORE_BATCH_SIZE")]
Connections = Annotated[int | None, Parameter(show_default=lambda _: "2, or WORKFLOW_STORE_INGEST_CONNECTIONS")]


async def ingest(
    paths: Annotated[list[Path], Parameter(name="PATH...")],
    /,
    *,
    id_from: IdFrom = "auto",
    mode: Mode = "upsert",
    on_error: OnError = "quarantine",
    batch_size: BatchSize = None,
    connections: Connections = None,
    replace: Flag = False,
    touch: bool = True,
    common: Common = COMMON,
) -> int:
    """Store workflows from files and folders: new ones, changed parts of known ones; unchanged parts are left alone.

    Reads n8n exports, template-API answers, extraction results and what `export` wrote: `.json`, `.jsonl`, `.ndjson`,
    and these with `.gz`; `/dev/stdin` reads a pipe. A record that can't be read or stored goes to quarantine with its
    reason, the others are stored, and the exit code is 1.

    Args:
        paths: Files and folders.
        id_from: Where the id of a record comes from that does not bring its own. auto: the template id of a template,
            else the source beside the workflow, else the path relative to the folder given.
        mode: What to do with a workflow that is stored already. upsert: merge it. skip: leave it alone. insert: refuse
            it, as --on-error says.
        on_error: quarantine: put a bad record aside and go on. raise: stop there; nothing of its batch is stored.
        batch_size: Records in one transaction.
        connections: Batches that are written at the same time.
        replace: Delete the stored parts that a record does not have, instead of keeping them.
        touch: Note that an unchanged workflow was seen; --no-touch leaves it wholly alone.
    """
    output, settings = common.output, ingest_settings(connections)
    source = read_paths(paths, id_from=id_from, limits=Limits.of(settings))
    options: dict[str, Any] = {
        "mode": mode,
        "on_error": on_error,
        "batch_size": batch_size,
        "replace": replace,
        "touch": touch,
        "connections": connections,
    }
    return await ingest_and_report(settings, source, output, **options)


async def ingest_and_report(settings: Settings, source: Source, output: Output, **options: Any) -> int:
    """Ingest a source and print what came of it; the exit code."""
    report = IngestReport()
    failure: StoreError | None = None
    async with WorkflowStore.open(settings) as store:
        try:
            await run_ingest(store, source, report, output, **options)
        except StoreError as error:
            failure = error
    if failure is not None:
        if not output.json:
            output.show(report_view(report))
        output.error(failure, **report_document(report))
        return Exit.INCOMPLETE if isinstance(failure, IngestError) else exit_of(failure)
    if output.json:
        output.document(report_document(report))
    else:
        output.show(report_view(report))
    return Exit.INCOMPLETE if report.rejected else Exit.DONE


def ingest_settings(connections: int | None = None) -> Settings:
    """The settings, with a pool that is large enough for so many batches at a time."""
    settings = command_settings()
    if connections is not None and connections > settings.pool_max_size:
        settings = settings.model_copy(update={"pool_max_size": connections})
    return settings


async def run_ingest(
    store: WorkflowStore,
    source: Source,
    report: IngestReport,
    output: Output,
    *,
    total: int | None = None,
    **options: Any,
) -> None:
    """``WorkflowStore.ingest`` with a progress bar; a stop says how far it came."""
    with output.progress("ingesting", total) as advance:

        def progress(now: IngestReport) -> None:
            done = now.stored + now.rejected + now.repeated
            rate = f"{done / now.seconds:,.0f}/s" if now.seconds else ""
            advance(done, f"{now.rejected:,} rejected, {rate}" if now.rejected else rate)

        try:
            await store.ingest(source, report=report, progress=progress, **options)
        except asyncio.CancelledError:
            output.note(f"workflow-store: stopped; {plural(report.stored, 'workflow')} stored before that")
            raise


def report_document(report: IngestReport) -> dict[str, Any]:
    """A report for programs."""
    return {
        "inserted": report.inserted,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "skipped": report.skipped,
        "rejected": report.rejected,
        "bytes": report.bytes,
        "seconds": round(report.seconds, 3),
        "repeated": report.repeated,
        "cleaned": report.cleaned,
        "duplicate_keys": report.duplicate_keys,
        "rejections": [
            {
                "source": rejected.source,
                "position": rejected.position,
                "workflow_id": rejected.workflow_id,
                "reason": rejected.reason,
            }
            for rejected in report.rejections
        ],
        "notices": report.notices,
    }


def report_view(report: IngestReport, rejected: str = "rejected") -> RenderableType:
    """A report for people: the counts, the first rejections, the first remarks.

    Args:
        rejected: what became of those that were rejected.
    """
    counts = Table.grid(padding=(0, 2))
    counts.add_column()
    counts.add_column(justify="right")
    for name in ("inserted", "updated", "unchanged", "skipped", "rejected", "repeated"):
        number: int = getattr(report, name)
        style = "bold red" if name == "rejected" and number else ""
        counts.add_row(Text(rejected if name == "rejected" else name, style=style), Text(count(number), style=style))
    for name, number in (("cleaned", report.cleaned), ("duplicate keys", report.duplicate_keys)):
        if number:
            counts.add_row(name, count(number))
    counts.add_row("size", size(report.bytes))
    counts.add_row("time", f"{report.seconds:,.2f} s")
    if report.seconds > 0:
        counts.add_row("rate", f"{report.stored / report.seconds:,.0f} workflows/s")
    parts: list[RenderableType] = [counts]
    if report.rejections:
        parts += ["", Text(rejected, style="bold"), *_rejections(report)]
    if report.notices:
        parts += ["", Text("stored, with a remark", style="bold")]
        parts += [Text(f"  {line(notice, 300)}") for notice in report.notices[:_SHOWN_NOTICES]]
        if len(report.notices) > _SHOWN_NOTICES:
            parts.append(Text("  … (--json has more)", style="dim"))
    return Group(*parts)


def _rejections(report: IngestReport) -> list[Text]:
    lines: list[Text] = []
    for rejected in report.rejections[:_SHOWN_REJECTIONS]:
        lines.append(Text(f"  {line(rejected.source, 200)}", style="cyan", overflow="fold"))
        lines.append(Text(f"    {line(rejected.reason, 300)}"))
    more = report.rejected - len(lines) // 2
    if more:
        lines.append(Text(f"  … and {more:,} more, all in quarantine", style="dim"))
    return lines
