"""Methods on many workflows, in order."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, nullcontext
from typing import Any, TypeAlias

from workflow_store.database import Session, deadline, operation
from workflow_store.models.report import Page
from workflow_store.models.workflow import Part, Workflow
from workflow_store.queries import join
from workflow_store.queries.rows import WorkflowRow, to_workflow
from workflow_store.repository import listing as listings
from workflow_store.repository.listing import (
    DEFAULT_LIMIT,
    DEFAULT_PREFETCH,
    MAX_LIMIT,
    STREAMED_PARTS,
    Fragment,
    Listing,
    check_filters,
    check_parts,
    filter_fragments,
    whole_number,
)
from workflow_store.repository.scope import Scope
from workflow_store.telemetry.watching import span

Fetch: TypeAlias = Callable[[str, Iterable[Any], Callable[[Any], WorkflowRow]], Coroutine[Any, Any, list[WorkflowRow]]]


class ListingMethods(Scope):
    """List, count and stream.

    Their filters; None is no filter, and several are all to be met:

    - ``layer1_success``, ``layer2_success``, ``layer3_success`` (bool): whether metadata, structure, content is stored;
    - ``min_quality``, ``max_quality`` (float): both bounds included;
    - ``node_type``, ``category``, ``tag``, ``author`` (str or several): at least one of them; ``node_type_all``: all;
    - ``min_views``, ``min_nodes``, ``max_nodes`` (int): bounds included;
    - ``has_videos``, ``has_error`` (bool): False is whatever True is not;
    - ``extracted_after``, ``updated_after`` (datetime): at this moment or later; ``extracted_before``: before it. A
      time without a zone is taken as UTC.
    """

    @operation
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
        timeout: float | None = None,
        **filters: Any,
    ) -> Page[Workflow]:
        """A page of workflows. Equal keys are ordered by id; workflows without the key come last.

        Args:
            order_by: ``extracted_at``, ``updated_at``, ``quality_score``, ``views``, ``title`` (its first 128
                characters) or ``node_count``.
            limit: 1 to 1,000.
            after: ``next`` of the page before, with the same order and filters; any page costs the same.
            offset: skips rows by counting them, which costs more the further it goes.
            include: parts to load, of ``metadata``, ``structure``, ``content`` and ``transcripts``. Transcripts are a
                statement of their own, by the ids of the page, which sees what was stored meanwhile unless both are in
                one ``repeatable_read`` transaction.
            total: also count all that match.
            filters: see the class.

        Raises:
            InvalidField: an order, filter, part or bound that is not allowed.
            InvalidCursor: a cursor of another order or other filters.
        """
        asked = check_parts(include, STREAMED_PARTS)
        wanted = listings.listing(
            order_by=order_by, order_desc=order_desc, limit=limit, offset=offset, after=after, filters=filters
        )
        async with self._sessions.session() as session:
            rows = await _page_rows(session, wanted, asked)
            items = await _whole(session, rows[:limit], asked)
            counted = await _count(session, filter_fragments(wanted.filters)) if total else None
        cursor = wanted.cursor_behind(rows[limit - 1]) if len(rows) > limit else None
        return Page(tuple(items), cursor, counted)

    @operation
    async def count_workflows(self, *, timeout: float | None = None, **filters: Any) -> int:
        """How many workflows match; the filters are those of ``list_workflows``.

        Raises:
            InvalidField: a filter that is not allowed.
        """
        given = filter_fragments(check_filters(filters))
        async with self._sessions.session() as session:
            return await _count(session, given)

    def stream_workflows(
        self,
        *,
        order_by: str = "extracted_at",
        order_desc: bool = True,
        include: Collection[Part] = frozenset(("metadata",)),
        prefetch: int = DEFAULT_PREFETCH,
        timeout: float | None = None,
        **filters: Any,
    ) -> AsyncGenerator[Workflow, None]:
        """All workflows that match, in the order of ``list_workflows``, with memory for ``prefetch`` of them.

        One read-only transaction holds a connection and one state of the store from the first workflow to the last;
        inside ``transaction()`` it is that transaction's own, with its isolation. Who leaves early closes the stream,
        by ``async with contextlib.aclosing(store.stream_workflows()) as stream``; one that was merely left gives its
        connection back when Python finds it unused.

        Args:
            include: parts to load, of ``metadata``, ``structure``, ``content`` and ``transcripts``.
            prefetch: workflows that are fetched at a time, 1 to 1,000.
            timeout: seconds for the connection, and for each time that workflows are fetched.
            filters: see the class.

        Raises:
            InvalidField: an order, filter, part or bound that is not allowed.
        """
        asked = check_parts(include, STREAMED_PARTS)
        size = whole_number("prefetch", prefetch, 1, MAX_LIMIT)
        wanted = listings.listing(
            order_by=order_by, order_desc=order_desc, limit=size, offset=None, after=None, filters=filters
        )
        return self._stream(wanted, asked, timeout)

    async def _stream(
        self, wanted: Listing, asked: frozenset[str], timeout: float | None
    ) -> AsyncGenerator[Workflow, None]:
        text, values = join(wanted.ids())
        async with AsyncExitStack() as stack:
            told = stack.enter_context(span("stream_workflows", rows=0))
            async with deadline(timeout):
                session = await stack.enter_async_context(self._sessions.session())
                await stack.enter_async_context(_snapshot(session))
            batches = await stack.enter_async_context(
                aclosing(session.stream(text, values, _first_column, wanted.limit))
            )
            while True:
                # What the caller does with a workflow is not on this clock.
                async with deadline(timeout):
                    ids = await anext(batches, None)
                    workflows = await _workflows(session, wanted, ids, asked) if ids else []
                if ids is None:
                    return
                told.attributes["rows"] = int(told.attributes["rows"]) + len(workflows)
                for workflow in workflows:
                    yield workflow


def _snapshot(session: Session) -> AbstractAsyncContextManager[None]:
    if session.in_transaction:
        # No savepoint: rolling back to it would undo what the caller wrote while the stream was open.
        return nullcontext()
    return session.transaction(isolation="repeatable_read", readonly=True)


async def _page_rows(session: Session, wanted: Listing, asked: frozenset[str]) -> list[WorkflowRow]:
    more = wanted.limit + 1
    if wanted.offset is not None:
        return await _fetch(session.fetch_planned, wanted.skipping(asked, more))
    rows: list[WorkflowRow] = []
    if wanted.place is None or not wanted.place.absent:
        rows = await _branch(session, wanted, asked, more, absent=False)
    if len(rows) < more and wanted.can_lack_key:
        rows += await _branch(session, wanted, asked, more - len(rows), absent=True)
    return rows


async def _branch(
    session: Session, wanted: Listing, asked: frozenset[str], limit: int, *, absent: bool
) -> list[WorkflowRow]:
    if not wanted.filters:
        # Of these every page has the same plan, and the connection may keep it.
        return await _fetch(session.fetch_text, wanted.page(asked, limit, absent=absent))
    rows = await _fetch(session.fetch_planned, wanted.walking(asked, limit, absent=absent))
    if len(rows) < limit:
        rows = await _fetch(session.fetch_planned, wanted.gathering(asked, limit, absent=absent))
    return rows


async def _fetch(fetch: Fetch, fragments: list[Fragment]) -> list[WorkflowRow]:
    text, values = join(fragments)
    return await fetch(text, values, WorkflowRow._make)


async def _count(session: Session, filters: list[Fragment]) -> int:
    text, values = join([("workflow/list/count", ()), *filters])
    (total,) = await session.fetch_planned(text, values, lambda record: int(record[0]))
    return total


async def _workflows(session: Session, wanted: Listing, ids: list[str], asked: frozenset[str]) -> list[Workflow]:
    text, values = join(wanted.of_ids(ids, asked))
    return await _whole(session, await session.fetch_text(text, values, WorkflowRow._make), asked)


async def _whole(session: Session, rows: list[WorkflowRow], asked: frozenset[str]) -> list[Workflow]:
    """The workflows of rows, with their transcripts where they are asked for."""
    if "transcripts" not in asked or not rows:
        return [to_workflow(row, transcripts=False) for row in rows]
    text, values = join([("workflow/list/transcripts", ([row.workflow_id for row in rows],))])
    spoken: dict[str, list[tuple[Any, ...]]] = {}
    for workflow_id, *columns in await session.fetch_text(text, values, tuple):
        spoken.setdefault(workflow_id, []).append(tuple(columns))
    return [to_workflow(row._replace(transcripts=spoken.get(row.workflow_id)), transcripts=True) for row in rows]


def _first_column(record: Any) -> str:
    return str(record[0])
