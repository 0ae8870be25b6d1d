"""Methods on many workflows, in order."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from workflow_store.database import Session
from workflow_store.models.report import Page
from workflow_store.models.workflow import Part, Workflow
from workflow_store.queries import join
from workflow_store.queries.rows import WorkflowRow, to_workflow
from workflow_store.repository import listing as listings
from workflow_store.repository.listing import DEFAULT_LIMIT, LISTED_PARTS, Fragment, Listing, check_parts
from workflow_store.repository.scope import Scope


class ListingMethods(Scope):
    """List and count."""

    async def list_workflows(
        self,
        *,
        order_by: str = "extracted_at",
        order_desc: bool = True,
        limit: int = DEFAULT_LIMIT,
        after: str | None = None,
        offset: int | None = None,
        include: Collection[Part] = frozenset(("metadata",)),
        total: bool = False,
        **filters: Any,
    ) -> Page[Workflow]:
        """A page of workflows. Equal keys are ordered by id; workflows without the key come last.

        Args:
            order_by: ``extracted_at``, ``updated_at``, ``quality_score``, ``views``, ``title`` (its first 128
                characters) or ``node_count``.
            limit: 1 to 1,000.
            after: ``next`` of the page before, with the same order and filters; any page costs the same.
            offset: skips rows by counting them, which costs more the further it goes.
            include: parts to load, of ``metadata``, ``structure`` and ``content``.
            total: also count all that match.
            filters: ``layer1_success``, ``layer2_success``, ``layer3_success`` (bool), ``min_quality``,
                ``max_quality`` (both bounds included). None is no filter.

        Raises:
            InvalidField: an order, filter, part or bound that is not allowed.
            InvalidCursor: a cursor of another order or other filters.
        """
        asked = check_parts(include, LISTED_PARTS)
        wanted = listings.listing(
            order_by=order_by, order_desc=order_desc, limit=limit, offset=offset, after=after, filters=filters
        )
        async with self._sessions.session() as session:
            rows = await _page_rows(session, wanted, asked)
            counted = await _count(session, wanted.filter_fragments()) if total else None
        items = tuple(to_workflow(row, transcripts=False) for row in rows[:limit])
        cursor = wanted.cursor_behind(rows[limit - 1]) if len(rows) > limit else None
        return Page(items, cursor, counted)

    async def count_workflows(self, **filters: Any) -> int:
        """How many workflows match; the filters are those of ``list_workflows``.

        Raises:
            InvalidField: a filter that is not allowed.
        """
        given = listings.check_filters(filters)
        fragments: list[Fragment] = [(f"workflow/list/filter_{name}", (value,)) for name, value in given.items()]
        async with self._sessions.session() as session:
            return await _count(session, fragments)


async def _page_rows(session: Session, wanted: Listing, asked: frozenset[str]) -> list[WorkflowRow]:
    select: Fragment = ("workflow/list/select", ("metadata" in asked, "structure" in asked, "content" in asked))
    more = wanted.limit + 1

    async def fetch(fragments: list[Fragment]) -> list[WorkflowRow]:
        text, values = join([select, *fragments])
        return await session.fetch_text(text, values, WorkflowRow._make)

    if wanted.offset is not None:
        return await fetch(wanted.skipping(more))
    rows: list[WorkflowRow] = []
    if wanted.place is None or not wanted.place.absent:
        rows = await fetch(wanted.with_key(more))
    if len(rows) < more and wanted.order_by in listings.NULLABLE:
        rows += await fetch(wanted.without_key(more - len(rows)))
    return rows


async def _count(session: Session, fragments: list[Fragment]) -> int:
    text, values = join([("workflow/list/count", ()), *fragments])
    (total,) = await session.fetch_text(text, values, lambda record: int(record[0]))
    return total
