"""``workflow-store maintain``: what is due for tables, indexes and the quarantine."""

from __future__ import annotations

from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from workflow_store.cli.outcomes import Exit
from workflow_store.cli.output import COMMON, Common, Flag
from workflow_store.cli.server import command_settings
from workflow_store.cli.wording import line, plural
from workflow_store.operations.maintenance import MaintenanceReport
from workflow_store.operations.maintenance import maintain as maintain_


async def maintain(*, dry_run: Flag = False, quarantine_days: int | None = None, common: Common = COMMON) -> int:
    """Give dead rows' room back, count anew for the planner, rebuild bloated and broken indexes, empty pending lists.

    Only what is due is done, and nothing of it keeps a reader or a writer out. It may be called as often as one likes:
    one call at a time is at work on a database. The exit code is 1 where something could not be done.

    Args:
        dry_run: Only say what would be done, and why.
        quarantine_days: Remove records that were last refused longer ago than so many days.
    """
    output = common.output
    with output.progress("maintaining"):
        report = await maintain_(command_settings(), dry_run=dry_run, quarantine_days=quarantine_days)
    if output.json:
        output.document({"busy": report.busy, "tasks": [asdict(task) for task in report.tasks]})
    elif report.busy:
        output.note("somebody else is maintaining this database")
    elif not report.tasks:
        output.note("nothing is due")
    else:
        output.show(_view(report))
        if dry_run:
            output.note(f"{plural(len(report.tasks), 'task')} planned, nothing was done")
    return Exit.INCOMPLETE if report.failed else Exit.DONE


def _view(report: MaintenanceReport) -> Table:
    table = Table("action", "on", "outcome", "why", box=None, pad_edge=False)
    for task in report.tasks:
        table.add_row(
            task.action.replace("_", " "),
            Text(task.target),
            task.outcome,
            Text(line(f"{task.reason}: {task.error}" if task.error else task.reason)),
        )
    return table
