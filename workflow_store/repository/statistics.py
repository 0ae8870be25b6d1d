"""Methods that count everything."""

from __future__ import annotations

from typing import Final, cast

from workflow_store.database import operation
from workflow_store.models.json import Json
from workflow_store.models.report import Percentiles, Statistics
from workflow_store.queries.statistics import COUNT_ALL
from workflow_store.repository.listing import whole_number
from workflow_store.repository.scope import Scope

_MOST_NAMES: Final = 1_000


class StatisticsMethods(Scope):
    """Counts, rates, averages and percentiles."""

    @operation
    async def get_statistics(
        self, *, top: int = 10, detailed: bool = False, timeout: float | None = None
    ) -> Statistics:
        """Counts, rates, averages and percentiles over all workflows, in one statement.

        On 100,000 workflows this takes a fraction of a second; it reads every row of the small columns.

        Args:
            top: how many names each count by name holds, the most frequent ones; 1 to 1,000.
            detailed: also count by node type, which unfolds the node types of every workflow and takes longer.

        Raises:
            InvalidField: ``top`` is out of bounds.
        """
        names = whole_number("top", top, 1, _MOST_NAMES)
        async with self._sessions.session() as session:
            row = await session.fetch_one(COUNT_ALL, names, detailed)
        return Statistics(
            row.total_workflows,
            row.layer1_success_count,
            row.layer2_success_count,
            row.layer3_success_count,
            row.layer1_success_rate,
            row.layer2_success_rate,
            row.layer3_success_rate,
            row.avg_quality_score,
            row.avg_processing_time,
            quality_percentiles=_percentiles(row.quality_percentiles),
            time_percentiles=_percentiles(row.time_percentiles),
            categories=_counts(row.categories),
            authors=_counts(row.authors),
            platforms=_counts(row.platforms),
            languages=_counts(row.languages),
            extraction_types=_counts(row.extraction_types),
            errors=_counts(row.errors),
            scrapes_by_day=_counts(row.scrapes_by_day),
            storage=_counts(row.storage),
            node_types=None if row.node_types is None else _counts(row.node_types),
        )


def _percentiles(values: list[float] | None) -> Percentiles | None:
    # The server has no percentile of nothing.
    return None if values is None else Percentiles(*values)


def _counts(pairs: Json | None) -> dict[str, int]:
    return {} if pairs is None else dict(cast("list[tuple[str, int]]", pairs.value))
