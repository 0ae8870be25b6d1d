"""The statement that counts everything, and the row it returns."""

from __future__ import annotations

from typing import NamedTuple

from workflow_store.models.json import Json
from workflow_store.queries.query import Query


class StatisticsRow(NamedTuple):
    """``statistics/count``; the documents are lists of pairs, a name with its count."""

    total_workflows: int
    layer1_success_count: int
    layer2_success_count: int
    layer3_success_count: int
    layer1_success_rate: float
    layer2_success_rate: float
    layer3_success_rate: float
    avg_quality_score: float | None
    avg_processing_time: float | None
    quality_percentiles: list[float] | None
    time_percentiles: list[float] | None
    categories: Json | None
    authors: Json | None
    platforms: Json | None
    languages: Json | None
    extraction_types: Json | None
    errors: Json | None
    scrapes_by_day: Json | None
    storage: Json | None
    node_types: Json | None


COUNT_ALL = Query[StatisticsRow, int, bool]("statistics/count")
