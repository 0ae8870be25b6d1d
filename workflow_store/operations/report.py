"""One page that shows a person how the store is: what is in it, how it grows, how its server is, its backups."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any, Final

from pydantic import SecretStr

from workflow_store.models import Statistics
from workflow_store.operations.backup.folder import BackupFolder
from workflow_store.operations.backup.manifest import Manifest
from workflow_store.operations.figures import megabytes, version_in_words
from workflow_store.operations.health import HealthReport, check_health
from workflow_store.operations.monitor import Sample, take_sample
from workflow_store.operations.servers import admin_server, direct_session
from workflow_store.queries.health import QUALITY, QualityRow
from workflow_store.settings import Settings
from workflow_store.store import WorkflowStore

_TOP: Final = 15
_NAME: Final = 60
# No file, script or font from anywhere: the page is what it is for as long as it is kept.
_STYLE: Final = """
:root { color-scheme: light dark; --back: #fff; --text: #1d2327; --dim: #5c6770; --line: #d9dee2; --bar: #2f6f9f;
  --good: #21763b; --fair: #8a5a00; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --back: #14181b; --text: #e6eaed; --dim: #9aa6af; --line: #333b41;
  --bar: #6db3e2; --good: #6fcf8b; --fair: #f0b64a; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 72rem; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2.5rem 0 .75rem; }
p.dim, td.dim, .dim { color: var(--dim); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1rem; margin-top: 1.5rem; }
.figures div { border: 1px solid var(--line); border-radius: .5rem; padding: .75rem; }
.figures b { display: block; font-size: 1.3rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 0 2.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: anywhere; }
th { color: var(--dim); font-weight: 600; }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.bar { width: 35%; min-width: 5rem; } td.bar i { display: block; height: .8rem; margin-top: .35rem; min-width: 1px;
  background: var(--bar); border-radius: 2px; }
.days { display: flex; align-items: flex-end; gap: 2px; height: 10rem; border-bottom: 1px solid var(--line); }
.days i { flex: 1; max-width: 4rem; min-height: 1px; background: var(--bar); border-radius: 2px 2px 0 0; }
.ends { display: flex; justify-content: space-between; margin: .25rem 0 0; color: var(--dim); font-size: .85rem; }
td.healthy, td.degraded, td.unhealthy, td.skipped { white-space: nowrap; }
.healthy { color: var(--good); } .degraded { color: var(--fair); } .unhealthy { color: var(--bad); font-weight: 600; }
.skipped { color: var(--dim); }
"""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a page is made of."""

    made_at: datetime
    statistics: Statistics
    quality: tuple[QualityRow, ...]
    health: HealthReport
    sample: Sample
    backups: tuple[Manifest, ...]


async def make_report(settings: Settings | None = None, **overrides: Any) -> str:
    """The page, as HTML that needs nothing else.

    Args:
        settings: read from the environment and the settings file where not given.
        overrides: single settings by name.

    Raises:
        ServerUnavailable, SchemaError: as opening a store does.
    """
    chosen = Settings.chosen(settings, overrides)
    async with admin_server(chosen) as dsn:
        direct = chosen.model_copy(update={"dsn": SecretStr(dsn), "pool_min_size": 1})
        async with WorkflowStore.open(direct) as store:
            statistics = await store.get_statistics(top=_TOP, detailed=True)
        async with direct_session(dsn, chosen) as session:
            quality = tuple(await session.fetch(QUALITY))
        sample = await take_sample(direct, over=0.5)
        # Here too, so that an embedded server is not stopped and started again.
        health = await check_health(chosen)
    backups = await asyncio.to_thread(BackupFolder.of(chosen).list)
    return page(Contents(datetime.now(UTC), statistics, quality, health, sample, backups))


def page(contents: Contents) -> str:
    """The page of what was found."""
    statistics, sample = contents.statistics, contents.sample
    quality = {f"{10 * row.tens} to {10 * row.tens + 10}": row.workflows for row in contents.quality}
    verdict = contents.health.overall_status
    made = f"{contents.made_at:%Y-%m-%d %H:%M} UTC, PostgreSQL {version_in_words(sample.version)}"
    body = [
        "<h1>workflow-store</h1>",
        f'<p class="dim">{made}, <span class="{verdict}">{verdict}</span></p>',
        _figures(contents),
        _section("Scrapes a day", _days(statistics.scrapes_by_day)),
        '<div class="columns">',
        _section("Stored by layer", _bars(_layers(statistics), statistics.total_workflows)),
        _section("Quality score", _bars(quality)),
        _section("Node types", _bars(statistics.node_types or {})),
        _section("Categories", _bars(statistics.categories)),
        _section("How structures were extracted", _bars(statistics.extraction_types)),
        _section("Errors of the last scrape", _bars(statistics.errors)),
        _section("On disk", _bars(statistics.storage, form=_one_digit)),
        _section("Health", _health(contents.health)),
        "</div>",
        _section("Statements that took most time", _statements(sample)),
        _section("Backups", _backups(contents.backups)),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>workflow-store, {contents.made_at:%Y-%m-%d %H:%M} UTC</title>\n"
        f"<style>{_STYLE}</style>\n</head>\n<body>\n" + "\n".join(body) + "\n</body>\n</html>\n"
    )


def _figures(contents: Contents) -> str:
    statistics = contents.statistics
    quality = statistics.avg_quality_score
    newest = contents.backups[0].created_at if contents.backups else None
    shown = {
        "workflows": f"{statistics.total_workflows:,}",
        "mean quality": "–" if quality is None else f"{quality:.1f}",
        "mean scrape": "–" if statistics.avg_processing_time is None else f"{statistics.avg_processing_time:.1f} s",
        "database": _one_digit(contents.sample.counters.database_bytes),
        "backups": f"{len(contents.backups):,}",
        "newest backup": "none" if newest is None else f"{newest.astimezone(UTC):%Y-%m-%d}",
    }
    return _all('<div class="figures">', (f"<div><b>{escape(v)}</b>{escape(k)}</div>" for k, v in shown.items()))


def _layers(statistics: Statistics) -> dict[str, int]:
    return {
        "metadata": statistics.layer1_success_count,
        "structure": statistics.layer2_success_count,
        "content": statistics.layer3_success_count,
    }


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>\n{content}</section>"


def _bars(counts: Mapping[str, int], whole: int | None = None, form: Any = "{:,}".format) -> str:
    if not counts:
        return '<p class="dim">none</p>'
    most = max(1, whole or 0, *counts.values())
    rows = (
        f'<tr><td>{_text(name)}</td><td class="bar"><i style="width:{100 * number / most:.1f}%"></i></td>'
        f'<td class="number">{escape(form(number))}</td></tr>'
        for name, number in counts.items()
    )
    return _all("<table>", rows)


def _days(counts: Mapping[str, int]) -> str:
    if not counts:
        return '<p class="dim">none in the last 30 days</p>'
    most = max(1, *counts.values())
    bars = (
        f'<i style="height:{100 * number / most:.1f}%" title="{escape(day)}: {number:,}"></i>'
        for day, number in counts.items()
    )
    first, *_, last = (*counts, *counts)
    ends = f"<span>{escape(first)}</span><span>at most {most:,}</span><span>{escape(last)}</span>"
    return _all('<div class="days">', bars) + f'<p class="ends">{ends}</p>'


def _health(report: HealthReport) -> str:
    rows: list[str] = []
    for name, check in report.checks.items():
        status = f'<td class="{check.status}">{check.status}</td>'
        rows.append(f"<tr><td>{escape(name.replace('_', ' '))}</td>{status}<td>{_text(check.message, 200)}</td></tr>")
    return _all("<table>", rows)


def _statements(sample: Sample) -> str:
    if sample.statements is None:
        return '<p class="dim">not known: the server has not loaded pg_stat_statements</p>'
    head = _head(("calls", True), ("total ms", True), ("mean ms", True), ("statement", False))
    rows = (
        f'<tr><td class="number">{row.calls:,}</td><td class="number">{row.total_ms:,.0f}</td>'
        f'<td class="number">{row.mean_ms:,.2f}</td><td>{_text(row.query, 160)}</td></tr>'
        for row in sample.statements
    )
    return f'<div class="wide">{_all("<table>", [head, *rows])}</div>'


def _backups(manifests: Sequence[Manifest]) -> str:
    if not manifests:
        return '<p class="dim">none</p>'
    head = _head(("made (UTC)", False), ("kind", False), ("workflows", True), ("size", True), ("name", False))
    rows = (
        f"<tr><td>{manifest.created_at.astimezone(UTC):%Y-%m-%d %H:%M}</td><td>{manifest.kind}</td>"
        f'<td class="number">{_rows(manifest)}</td><td class="number">{_one_digit(manifest.size)}</td>'
        f"<td>{_text(manifest.name)}</td></tr>"
        for manifest in manifests[:_TOP]
    )
    return f'<div class="wide">{_all("<table>", [head, *rows])}</div>'


def _rows(manifest: Manifest) -> str:
    table = manifest.tables.get("workflows")
    return "" if table is None else f"{table.rows:,}"


def _head(*columns: tuple[str, bool]) -> str:
    cells = (f"<th{' class=number' if is_number else ''}>{escape(name)}</th>" for name, is_number in columns)
    return f"<tr>{''.join(cells)}</tr>"


def _all(opening: str, parts: Any) -> str:
    element = opening[1:].split(" ", 1)[0].rstrip(">")
    return "\n".join([opening, *parts, f"</{element}>"])


def _text(text: str, limit: int = _NAME) -> str:
    """Scraped text for the page: no markup, controls or changes of direction, one line."""
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return escape(plain if len(plain) <= limit else plain[: limit - 1] + "…")


def _one_digit(bytes_: int) -> str:
    return megabytes(bytes_, 1)
