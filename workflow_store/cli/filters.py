"""The filters of ``list``, ``count`` and ``search``: one group of options."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias

from cyclopts import Group, Parameter

Names: TypeAlias = Annotated[list[str] | None, Parameter(negative=())]


@Parameter(name="*", group=Group("Filters", help="All that are given must be met. A time without a zone is UTC."))
@dataclass(frozen=True)
class Filters:
    """Which workflows; the names are those of the library.

    Attributes:
        layer1_success: Only workflows with metadata, or without.
        layer2_success: Only workflows with a structure, or without.
        layer3_success: Only workflows with content, or without.
        min_quality: The lowest quality score, 0 to 100.
        max_quality: The highest quality score, 0 to 100.
        node_type: With a node of this type; given several times, of at least one of them.
        node_type_all: With a node of this type; given several times, of all of them.
        category: In this category; given several times, in at least one of them.
        tag: With this tag; given several times, with at least one of them.
        author: By the author of this name; given several times, by one of them.
        min_views: The lowest number of views.
        has_videos: Only workflows whose content has videos, or all others.
        min_nodes: The lowest number of nodes.
        max_nodes: The highest number of nodes.
        extracted_after: Scraped at this moment or later, such as 2026-05-04 or 2026-05-04T03:02:00Z.
        extracted_before: Scraped before this moment.
        updated_after: Changed at this moment or later.
        has_error: Only workflows whose last scrape failed, or all others.
    """

    layer1_success: bool | None = None
    layer2_success: bool | None = None
    layer3_success: bool | None = None
    min_quality: float | None = None
    max_quality: float | None = None
    node_type: Names = None
    node_type_all: Names = None
    category: Names = None
    tag: Names = None
    author: Names = None
    min_views: int | None = None
    has_videos: bool | None = None
    min_nodes: int | None = None
    max_nodes: int | None = None
    extracted_after: datetime | None = None
    extracted_before: datetime | None = None
    updated_after: datetime | None = None
    has_error: bool | None = None

    @property
    def given(self) -> dict[str, Any]:
        """The filters as the library takes them; None is no filter."""
        return {filter_.name: getattr(self, filter_.name) for filter_ in fields(self)}


ALL: Final = Filters()
