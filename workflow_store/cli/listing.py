"""``workflow-store list`` and ``count``: workflows that meet some filters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.cells import cell_len
from rich.text import Text

from workflow_store.cli.filters import ALL, Filters
from workflow_store.cli.output import COMMON, Common, Flag, Output
from workflow_store.cli.server import command_settings
from workflow_store.cli.wording import count, decimal, identifier, line, moment, plural
from workflow_store.models import Json, Page, Part, Workflow
from workflow_store.repository.listing import OrderBy
from workflow_store.store import WorkflowStore

ListedPart = Literal["metadata", "structure", "content"]

_TITLE = 100
_LEAST_TITLE = 16
_HEADS = ("views", "nodes", "quality", "extracted (UTC)")
_GAP = 2
_ID_STYLE = "cyan"


async def list_(
    *,
    order_by: OrderBy = "extracted_at",
    asc: Flag = False,
    limit: int = 20,
    after: str | None = None,
    offset: int | None = None,
    total: Flag = False,
    include: Annotated[list[ListedPart] | None, Parameter(negative=())] = None,
    filters: Filters = ALL,
    common: Common = COMMON,
) -> None:
    """List a page of workflows, the last scraped first.

    Args:
        order_by: What to sort by. Equal ones are sorted by id; workflows without it come last.
        asc: The smallest first, instead of the largest.
        limit: Workflows in a page, 1 to 1,000.
        after: The cursor that the page before told, with the same order and filters.
        offset: Workflows to skip; --after is faster.
        total: Also count all that match.
        include: Parts in the items of --json; may be given several times. Without it, metadata.
    """
    output = common.output
    parts = listed_parts(output, include)
    async with WorkflowStore.open(command_settings()) as store:
        page = await store.list_workflows(
            order_by=order_by,
            order_desc=not asc,
            limit=limit,
            after=after,
            offset=offset,
            include=parts,
            total=total,
            **filters.given,
        )
    if output.json:
        output.raw(Json(page_document(page)).raw)
        return
    show_page(output, page)
    if page.next is not None:
        output.note(f"the next page: the same command with --after {page.next}")


async def count_(*, filters: Filters = ALL, common: Common = COMMON) -> None:
    """Count workflows.

    With `--json` the number is `total`.
    """
    output = common.output
    async with WorkflowStore.open(command_settings()) as store:
        total = await store.count_workflows(**filters.given)
    if output.json:
        output.document({"total": total})
    else:
        output.show(plural(total, "workflow"))


def listed_parts(output: Output, include: Sequence[ListedPart] | None) -> list[Part]:
    """The parts to load: those that were asked for, or what the table shows."""
    # The table has a column that lies in the structure.
    return [*(include or ("metadata",))] if output.json else ["metadata", "structure"]


def page_document(page: Page[Workflow]) -> dict[str, Any]:
    """A page for programs, every digit kept."""
    return {"items": [workflow.to_json() for workflow in page.items], "next": page.next, "total": page.total}


def show_page(output: Output, page: Page[Workflow]) -> None:
    """A page for people: a line for each workflow, or two where an id is too long to stand beside a title."""
    if page.items:
        shown = listed(page.items, [Text(title(workflow)) for workflow in page.items], output.width)
        output.show(*chain.from_iterable(shown), whole=True)
    else:
        output.show("no workflows" if page.total in (None, 0) else "no workflows on this page")
    if page.total is not None:
        output.show(f"{page.total:,} in all")


def listed(workflows: Sequence[Workflow], titles: Sequence[Text], width: int) -> Iterator[list[Text]]:
    """The heads, then the lines of each workflow.

    Args:
        titles: a line each, of any length.
        width: columns that there are.
    """
    # Not a rich table: that shortens any column when room is short, ids too, which people need whole.
    ids = [identifier(workflow.workflow_id) for workflow in workflows]
    figures = [_figures(workflow) for workflow in workflows]
    wide = [max(map(len, column)) for column in zip(_HEADS, *figures, strict=True)]
    key = max(cell_len(text) for text in ids) + _GAP
    room = width - sum(wide) - _GAP * len(wide)
    beside = key + _LEAST_TITLE <= room
    longest = max(len("title"), *(text.cell_len for text in titles))
    columns = min(max(room - key if beside else room, _LEAST_TITLE), longest)

    def row(workflow_id: str, text: Text, cells: tuple[str, ...], style: str = "") -> Text:
        line = Text(style=style)
        if beside:
            line.append(f"{workflow_id}{' ' * (key - cell_len(workflow_id))}", style=style or _ID_STYLE)
        shortened = text.copy()
        shortened.truncate(columns, overflow="ellipsis", pad=True)
        line.append_text(shortened)
        for cell, cell_columns in zip(cells, wide, strict=True):
            line.append(f"{' ' * _GAP}{cell:>{cell_columns}}")
        return line

    yield [row("id", Text("title"), _HEADS, "bold")]
    for workflow_id, text, cells in zip(ids, titles, figures, strict=True):
        below = [] if beside else [Text(f"  {workflow_id}", style=_ID_STYLE)]
        yield [row(workflow_id, text, cells), *below]


def title(workflow: Workflow) -> str:
    """The title on a line, or that there is none."""
    written = workflow.metadata.title if workflow.metadata else None
    return (line(written, _TITLE) if written else "") or "(no title)"


def _figures(workflow: Workflow) -> tuple[str, ...]:
    return (
        count(workflow.metadata.views if workflow.metadata else None),
        count(workflow.structure.node_count if workflow.structure else None),
        decimal(workflow.quality_score),
        moment(workflow.extracted_at),
    )
