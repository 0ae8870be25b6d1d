"""``workflow-store stats``: counts, rates and averages."""

from __future__ import annotations

from dataclasses import asdict

from rich.table import Table

from workflow_store.cli.output import COMMON, Common
from workflow_store.cli.server import command_settings
from workflow_store.cli.wording import count, decimal
from workflow_store.models import Statistics
from workflow_store.store import WorkflowStore


async def stats(*, common: Common = COMMON) -> None:
    """Show how many workflows are stored, which parts they have, and the averages."""
    output = common.output
    async with WorkflowStore.open(command_settings()) as store:
        statistics = await store.get_statistics()
    if output.json:
        output.document(asdict(statistics))
    else:
        output.show(statistics_view(statistics))


def statistics_view(statistics: Statistics) -> Table:
    """The statistics for people."""
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(justify="right")
    table.add_row("workflows", count(statistics.total_workflows), "")
    for name, number, rate in (
        ("with metadata", statistics.layer1_success_count, statistics.layer1_success_rate),
        ("with structure", statistics.layer2_success_count, statistics.layer2_success_rate),
        ("with content", statistics.layer3_success_count, statistics.layer3_success_rate),
    ):
        table.add_row(name, count(number), f"{rate:.1f} %")
    if statistics.avg_quality_score is not None:
        table.add_row("average quality", decimal(statistics.avg_quality_score), "")
    if statistics.avg_processing_time is not None:
        table.add_row("average time", f"{decimal(statistics.avg_processing_time)} s", "")
    return table
