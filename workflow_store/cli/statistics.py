"""``workflow-store stats``: counts, rates, averages and percentiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from workflow_store.cli.output import COMMON, Common, Flag
from workflow_store.cli.server import command_settings
from workflow_store.cli.wording import count, decimal, line, size
from workflow_store.models import Statistics
from workflow_store.models.report import Percentiles
from workflow_store.store import WorkflowStore

_NAME: Final = 60


async def stats(*, top: int = 10, detailed: Flag = False, common: Common = COMMON) -> None:
    """Show how many workflows are stored, which parts they have, averages, percentiles, and counts by name.

    Args:
        top: Names in each count by name, the most frequent ones; 1 to 1,000.
        detailed: Also count by node type, which takes longer.
    """
    output = common.output
    async with WorkflowStore.open(command_settings()) as store:
        statistics = await store.get_statistics(top=top, detailed=detailed)
    if output.json:
        output.document(asdict(statistics))
    else:
        output.show(statistics_view(statistics))


def statistics_view(statistics: Statistics) -> RenderableType:
    """The statistics for people: the figures, then a short table for each count by name that has anything."""
    shown: list[RenderableType] = [_figures(statistics)]
    for heading, counts in (
        ("workflows by category", statistics.categories),
        ("workflows by node type", statistics.node_types or {}),
        ("workflows by author", statistics.authors),
        ("structures by extraction type", statistics.extraction_types),
        ("transcripts by platform", statistics.platforms),
        ("transcripts by language", statistics.languages),
        ("workflows by error", statistics.errors),
        ("scrapes a day (UTC)", statistics.scrapes_by_day),
    ):
        shown += _section(heading, {name: count(number) for name, number in counts.items()})
    shown += _section("on disk", {name: size(bytes_) for name, bytes_ in statistics.storage.items()})
    return Group(*shown)


def _figures(statistics: Statistics) -> Table:
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
    for name, average, shares, unit in (
        ("quality", statistics.avg_quality_score, statistics.quality_percentiles, ""),
        ("time", statistics.avg_processing_time, statistics.time_percentiles, " s"),
    ):
        if average is not None:
            table.add_row(f"average {name}", f"{decimal(average)}{unit}", "")
        for share, value in _shares(shares):
            table.add_row(f"{name}, {share}", f"{decimal(value)}{unit}", "")
    return table


def _shares(percentiles: Percentiles | None) -> list[tuple[str, float]]:
    if percentiles is None:
        return []
    return [("median", percentiles.p50), ("90 % up to", percentiles.p90), ("99 % up to", percentiles.p99)]


def _section(heading: str, rows: Mapping[str, str]) -> list[RenderableType]:
    if not rows:
        return []
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    for name, value in rows.items():
        table.add_row(Text(f"  {line(name, _NAME) or '(empty)'}"), value)
    return ["", Text(heading, style="bold"), table]
