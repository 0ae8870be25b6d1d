"""``Repository``: the methods on workflows, on a pool or inside a transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from workflow_store.database import HeldSession, Isolation, Session, Sessions
from workflow_store.errors import AlreadyExists, InvalidField
from workflow_store.ingest import create_one, write_one
from workflow_store.models.report import Outcome, Page, Statistics
from workflow_store.models.workflow import PARTS, Part, Workflow
from workflow_store.queries import catalogue, join
from workflow_store.queries.parameters import Limits, encode
from workflow_store.queries.rows import WorkflowRow, to_workflow
from workflow_store.repository import listing as listings
from workflow_store.repository.listing import DEFAULT_LIMIT, LISTED_PARTS, Fragment, Listing


class Repository:
    """Reads and writes workflows. Every method raises the library's own errors, see ``workflow_store.errors``."""

    def __init__(self, sessions: Sessions, limits: Limits) -> None:
        self._sessions = sessions
        self._limits = limits

    async def create_workflow(self, workflow: Workflow) -> None:
        """Store a workflow that is not there yet, with all its parts, in one statement.

        Raises:
            AlreadyExists: its id is stored.
            InvalidRecord: it can't be stored; the field is named.
        """
        record = self._encoded(workflow)
        async with self._sessions.session() as session:
            if not await create_one(session, record):
                raise AlreadyExists(workflow.workflow_id)

    async def upsert_workflow(self, workflow: Workflow, *, replace: bool = False, touch: bool = True) -> Outcome:
        """Store a workflow, or merge it into the stored one part by part.

        Args:
            replace: parts that are None are deleted instead of kept.
            touch: note that an unchanged workflow was seen; False leaves it wholly alone.

        Returns:
            ``"inserted"``, ``"updated"`` or ``"unchanged"``.

        Raises:
            InvalidRecord: it can't be stored; the field is named.
        """
        record = self._encoded(workflow)
        async with self._sessions.session() as session:
            return await write_one(session, record, replace=replace, touch=touch)

    async def get_workflow(self, workflow_id: str, *, include: Collection[Part] = PARTS) -> Workflow | None:
        """The workflow with the parts that are asked for, in one round trip; None where there is none.

        Raises:
            InvalidField: ``include`` names something that is no part.
        """
        asked = _parts(include, PARTS)
        async with self._sessions.session() as session:
            row = await session.fetch_optional(
                catalogue.GET_WORKFLOW,
                workflow_id,
                "metadata" in asked,
                "structure" in asked,
                "content" in asked,
                "transcripts" in asked,
            )
        return None if row is None else to_workflow(row, transcripts="transcripts" in asked)

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
        asked = _parts(include, LISTED_PARTS)
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

    async def delete_workflow(self, workflow_id: str) -> bool:
        """Delete a workflow with its parts and media links; whether it was there."""
        async with self._sessions.session() as session:
            return await session.fetch_one(catalogue.DELETE_WORKFLOW, workflow_id)

    async def get_statistics(self) -> Statistics:
        """Counts, rates and averages over all workflows, in one statement."""
        async with self._sessions.session() as session:
            return Statistics(*await session.fetch_one(catalogue.STATISTICS))

    @asynccontextmanager
    async def transaction(
        self, *, isolation: Isolation | None = None, readonly: bool = False
    ) -> AsyncIterator[Repository]:
        """The same methods on one connection, committed together at the end; inside another one, a savepoint.

        Raises:
            CommitUnknown: the connection was lost around COMMIT.
        """
        async with self._sessions.session() as session, session.transaction(isolation=isolation, readonly=readonly):
            yield Repository(HeldSession(session), self._limits)

    def _encoded(self, workflow: Workflow) -> Any:
        if not isinstance(workflow, Workflow):
            raise InvalidField("workflow", f"a Workflow is expected, not {type(workflow).__name__}")
        return encode(workflow, self._limits, datetime.now(UTC))


def _parts(include: Collection[str], allowed: Collection[str]) -> frozenset[str]:
    asked = frozenset((include,)) if isinstance(include, str) else frozenset(include)
    for part in sorted(asked, key=str):
        if part not in allowed:
            raise InvalidField("include", f"{part!r} is no part that can be asked for here", allowed)
    return asked


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
