"""``workflow-store demo``: the whole path, from nothing to workflows in the store and back."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from workflow_store import schema
from workflow_store.cli.details import show_workflow
from workflow_store.cli.ingest import ingest_settings, report_document, report_view, run_ingest
from workflow_store.cli.listing import page_document, show_page
from workflow_store.cli.outcomes import Exit
from workflow_store.cli.output import COMMON, Common, Output
from workflow_store.cli.server import target
from workflow_store.cli.statistics import statistics_view
from workflow_store.embedded.folder import data_home
from workflow_store.importers import read_path
from workflow_store.models import IngestReport, Json, Rejected, Workflow
from workflow_store.samples import generate
from workflow_store.settings import Settings
from workflow_store.store import WorkflowStore

_LISTED = 10


async def demo(
    data: Annotated[Path | None, Parameter(name="DATA")] = None,
    /,
    *,
    count: Annotated[int, Parameter(name="--count")] = 1_000,
    common: Common = COMMON,
) -> int:
    """Set everything up, ingest workflows, and show the report, a list, one workflow and the statistics.

    Doing it again finds everything unchanged. It works on the same server as the other verbs.

    Args:
        data: A file or folder to ingest, as for `ingest`. Without it, workflows are generated.
        count: How many to generate.
    """
    output, settings = common.output, ingest_settings()
    source, total = _source(data, count)
    if settings.dsn is not None:
        async with target(settings, output) as server:
            await schema.migrate(server.dsn.get_secret_value(), compression=settings.compression)
    report = IngestReport()
    async with WorkflowStore.open(settings) as store:
        where = store.address if settings.dsn is not None else f"the folder {data_home(settings)}"
        _head(output, f"ingesting {data}" if data else f"ingesting {count:,} generated workflows")
        await run_ingest(store, source, report, output, total=total)
        page = await store.list_workflows(
            order_by="views", limit=_LISTED, include=("metadata", "structure"), total=True
        )
        first = await store.get_workflow(page.items[0].workflow_id) if page.items else None
        statistics = await store.get_statistics()
    if output.json:
        output.raw(
            Json(
                {
                    "server": where,
                    "report": report_document(report),
                    "list": page_document(page),
                    "workflow": first.to_json() if first else None,
                    "statistics": asdict(statistics),
                }
            ).raw
        )
    else:
        output.show(report_view(report))
        _head(output, "the most viewed")
        show_page(output, page)
        if first is not None:
            _head(output, "one of them")
            show_workflow(output, first)
        _head(output, "statistics")
        output.show(statistics_view(statistics))
        _farewell(output, settings, where, first)
    return Exit.INCOMPLETE if report.rejected else Exit.DONE


def _source(data: Path | None, count: int) -> tuple[Iterable[Workflow | Rejected], int | None]:
    return (generate(count), count) if data is None else (read_path(data), None)


def _head(output: Output, text: str) -> None:
    if not output.json:
        output.show("", Text(text, style="bold reverse"), "")


def _farewell(output: Output, settings: Settings, where: str, first: Workflow | None) -> None:
    program = program_name()
    commands = [
        f"{program} list --order-by quality_score",
        f"{program} get {shlex.quote(first.workflow_id) if first and first.workflow_id.isprintable() else 'ID'}",
        f"{program} ingest PATH",
        f"{program} export --output workflows.jsonl.gz",
        f"{program} --help",
    ]
    _head(output, "what next")
    output.show(f"The data lies in {where}. Try:", *(f"  {command}" for command in commands), whole=True)


def program_name() -> str:
    """How a user calls this program from where they are."""
    called = Path(sys.argv[0])
    if called.name != "workflow-store":
        return "workflow-store"
    found = shutil.which("workflow-store")
    if found is not None and Path(found).resolve() == called.resolve():
        return "workflow-store"
    here = called.absolute()
    return str(here.relative_to(Path.cwd())) if here.is_relative_to(Path.cwd()) else str(here)
