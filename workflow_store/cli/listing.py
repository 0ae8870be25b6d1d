"""``workflow-store list``: a page of workflows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.cells import cell_len
from rich.text import Text

from workflow_store.cli.output import COMMON, Common, Flag, Output
from workflow_store.cli.server import command_settings
from workflow_store.cli.wording import count, decimal, identifier, line, moment
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
    layer1_success: bool | None = None,
    layer2_success: bool | None = None,
    layer3_success: bool | None = None,
    min_quality: float | None = None,
    max_quality: float | None = None,
    total: Flag = False,
    include: Annotated[list[ListedPart] | None, Parameter(negative=())] = None,
    common: Common = COMMON,
) -> None:
    """List a page of workflows, the last scraped first.

    Args:
        order_by: What to sort by. Equal ones are sorted by id; workflows without it come last.
        asc: The smallest first, instead of the largest.
        limit: Workflows in a page, 1 to 1,000.
        after: The cursor that the page before told, with the same order and filters.
        offset: Workflows to skip; --after is faster.
        layer1_success: Only workflows with metadata, or without.
        layer2_success: Only workflows with a structure, or without.
        layer3_success: Only workflows with content, or without.
        min_quality: The lowest quality score, 0 to 100.
        max_quality: The highest quality score, 0 to 100.
        total: Also count all that match.
        include: Parts in the items of --json; may be given several times. Without it, metadata.
    """
    output = common.output
    # The table has a column that lies in the structure.
    parts: list[Part] = [*(include or ("metadata",))] if output.json else ["metadata", "structure"]
    async with WorkflowStore.open(command_settings()) as store:
        page = await store.list_workflows(
            order_by=order_by,
            order_desc=not asc,
            limit=limit,
            after=after,
            offset=offset,
            include=parts,
            total=total,
            layer1_success=layer1_success,
            layer2_success=layer2_success,
            layer3_success=layer3_success,
            min_quality=min_quality,
            max_quality=max_quality,
        )
    if output.json:
        output.raw(Json(page_document(page)).raw)
        return
    show_page(output, page)
    if page.next is not None:
        output.note(f"the next page: the same command with --after {page.next}")


def page_document(page: Page[Workflow]) -> dict[str, Any]:
    """A page for programs, every digit kept."""
    return {"items": [workflow.to_json() for workflow in page.items], "next": page.next, "total": page.total}


def show_page(output: Output, page: Page[Workflow]) -> None:
    """A page for people: a line for each workflow, or two where an id is too long to stand beside a title."""
    if page.items:
        output.show(*_lines(page, output.width), whole=True)
    else:
        output.show("no workflows" if page.total in (None, 0) else "no workflows on this page")
    if page.total is not None:
        output.show(f"{page.total:,} in all")


def _lines(page: Page[Workflow], width: int) -> Iterator[Text]:
    # Not a rich table: that shortens any column when room is short, ids too, which people need whole.
    ids = [identifier(workflow.workflow_id) for workflow in page.items]
    titles = [_title(workflow) for workflow in page.items]
    figures = [_figures(workflow) for workflow in page.items]
    wide = [max(map(len, column)) for column in zip(_HEADS, *figures, strict=True)]
    key = max(cell_len(text) for text in ids) + _GAP
    room = width - sum(wide) - _GAP * len(wide)
    beside = key + _LEAST_TITLE <= room
    title = min(max(room - key if beside else room, _LEAST_TITLE), max(map(cell_len, (*titles, "title"))))

    def row(workflow_id: str, text: str, cells: tuple[str, ...], style: str = "") -> Text:
        line = Text(style=style)
        if beside:
            line.append(f"{workflow_id}{' ' * (key - cell_len(workflow_id))}", style=style or _ID_STYLE)
        shortened = Text(text)
        shortened.truncate(title, overflow="ellipsis", pad=True)
        line.append_text(shortened)
        for cell, columns in zip(cells, wide, strict=True):
            line.append(f"{' ' * _GAP}{cell:>{columns}}")
        return line

    yield row("id", "title", _HEADS, "bold")
    for workflow_id, text, cells in zip(ids, titles, figures, strict=True):
        yield row(workflow_id, text, cells)
        if not beside:
            yield Text(f"  {workflow_id}", style=_ID_STYLE)


def _title(workflow: Workflow) -> str:
    title = workflow.metadata.title if workflow.metadata else None
    return (line(title, _TITLE) if title else "") or "(no title)"


def _figures(workflow: Workflow) -> tuple[str, ...]:
    return (
        count(workflow.metadata.views if workflow.metadata else None),
        count(workflow.structure.node_count if workflow.structure else None),
        decimal(workflow.quality_score),
        moment(workflow.extracted_at),
    )
