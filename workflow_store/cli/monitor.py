"""``workflow-store monitor``: the server while it works."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from workflow_store.cli.outcomes import UsageError
from workflow_store.cli.output import COMMON, Common, Flag
from workflow_store.cli.server import command_settings
from workflow_store.cli.wording import count, decimal, line, moment, size
from workflow_store.operations.figures import version_in_words
from workflow_store.operations.monitor import Sample, take_sample, watching

_STATEMENT: Final = 70
_SHOWN: Final = 8


async def monitor(*, interval: float = 2.0, once: Flag = False, common: Common = COMMON) -> None:
    """Show connections, rates of writing, sizes, index use, locks, checkpoints and slow statements, until Ctrl-C.

    Where standard output is no terminal, and with --json, it is shown once. A role that is a member of pg_monitor sees
    what others do; the slowest statements need the extension pg_stat_statements.

    Args:
        interval: Seconds between two looks; rates are those of that time.
        once: Look twice, show that and end.
    """
    output, settings = common.output, command_settings()
    if not 0.1 <= interval <= 3600:
        raise UsageError("--interval: seconds from 0.1 to 3,600")
    if once or output.json or not sys.stdout.isatty():
        sample = await take_sample(settings, over=interval)
        if output.json:
            output.document(_document(sample))
        else:
            output.show(view(sample))
        return
    async with watching(settings) as watch:
        with Live(view(await watch.sample()), auto_refresh=False, screen=True) as live:
            while True:
                await asyncio.sleep(interval)
                live.update(view(await watch.sample()), refresh=True)


def view(sample: Sample) -> RenderableType:
    """A sample for people."""
    shown: list[RenderableType] = [_figures(sample)]
    shown += [Text("\nconnections", style="bold"), _activity(sample)]
    shown += [Text("\nwaiting for a lock", style="bold"), _blocked(sample)]
    shown += [Text("\ntables", style="bold"), _tables(sample)]
    shown += [Text("\nindexes, the least used first", style="bold"), _indexes(sample)]
    shown += [Text("\nstatements that took most time", style="bold"), _statements(sample)]
    return Group(*shown)


def _figures(sample: Sample) -> Table:
    table, counters, rates = Table.grid(padding=(0, 2)), sample.counters, sample.rates
    rows = [
        ("server", f"PostgreSQL {version_in_words(sample.version)}, {_clock(sample.taken_at)} UTC"),
        ("database", f"{size(counters.database_bytes)}, about {count(counters.workflows)} workflows"),
        ("in memory", f"{_percent(sample.hit_ratio)} of all pages that were needed"),
        ("checkpoints", f"{count(sample.checkpoints.timed)} by time, {count(sample.checkpoints.requested)} early"),
        ("deadlocks", count(counters.deadlocks)),
    ]
    if rates is not None:
        rows += [
            (
                f"in {rates.seconds:.1f} s",
                f"rows a second: {rates.inserted:,.0f} new, {rates.updated:,.0f} updated, {rates.deleted:,.0f} deleted",
            ),
            ("", f"{rates.commits:,.0f} commits a second, {size(int(rates.wal_bytes))} of WAL a second"),
            ("", f"{rates.checkpoints} checkpoints, {_percent(rates.hit_ratio)} of pages in memory"),
        ]
    for name, value in rows:
        table.add_row(name, Text(value))
    return table


def _activity(sample: Sample) -> RenderableType:
    if not sample.activity:
        return Text("none but this one", style="dim")
    table = Table("state", "connections", "longest (s)", box=None, pad_edge=False)
    for row in sample.activity:
        table.add_row(row.state, count(row.connections), decimal(row.longest))
    return table


def _blocked(sample: Sample) -> RenderableType:
    if not sample.blocked:
        return Text("nobody", style="dim")
    table = Table("process", "waits for", "seconds", "with", box=None, pad_edge=False)
    for row in sample.blocked:
        by = ", ".join(map(str, row.by))
        table.add_row(str(row.pid), by, decimal(row.seconds), Text(line(row.query, _STATEMENT)))
    return table


def _tables(sample: Sample) -> Table:
    table = Table("table", "size", "rows", "dead", "vacuumed (UTC)", box=None, pad_edge=False)
    for row in sample.tables[:_SHOWN]:
        table.add_row(row.name, size(row.bytes), count(row.live), count(row.dead), moment(row.vacuumed) or "never")
    return table


def _indexes(sample: Sample) -> Table:
    table = Table("index", "size", "scans", box=None, pad_edge=False)
    for row in sample.indexes[:_SHOWN]:
        table.add_row(row.name, size(row.bytes), count(row.scans))
    return table


def _statements(sample: Sample) -> RenderableType:
    if sample.statements is None:
        return Text(
            "not known: shared_preload_libraries = 'pg_stat_statements', and CREATE EXTENSION pg_stat_statements",
            style="dim",
        )
    table = Table("calls", "total (ms)", "mean (ms)", "rows", "statement", box=None, pad_edge=False)
    for row in sample.statements:
        figures = (count(row.calls), decimal(row.total_ms, 0), decimal(row.mean_ms, 2), count(row.rows))
        table.add_row(*figures, Text(line(row.query, _STATEMENT)))
    return table


def _clock(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _percent(ratio: float | None) -> str:
    return "none" if ratio is None else f"{ratio:.1%}"


def _document(sample: Sample) -> dict[str, Any]:
    rates = sample.rates
    return {
        "taken_at": sample.taken_at.isoformat(),
        "version": sample.version,
        "counters": sample.counters._asdict(),
        "hit_ratio": sample.hit_ratio,
        "checkpoints": sample.checkpoints._asdict(),
        "rates": None if rates is None else {name: getattr(rates, name) for name in rates.__slots__},
        "activity": [row._asdict() for row in sample.activity],
        "blocked": [row._asdict() for row in sample.blocked],
        "tables": [row._asdict() for row in sample.tables],
        "indexes": [row._asdict() for row in sample.indexes],
        "statements": None if sample.statements is None else [row._asdict() for row in sample.statements],
    }
