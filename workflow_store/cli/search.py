"""``workflow-store search`` and ``suggest``: workflows by what is written in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

from cyclopts import Parameter
from rich.padding import Padding
from rich.text import Text

from workflow_store.cli.filters import ALL, Filters
from workflow_store.cli.listing import ListedPart, listed, listed_parts, title
from workflow_store.cli.output import COMMON, Common, Flag, Output
from workflow_store.cli.server import command_settings
from workflow_store.cli.wording import line
from workflow_store.models import Highlight, Json, SearchHit, SearchPage
from workflow_store.models.search import MATCH_ENDS, MATCH_STARTS
from workflow_store.repository.search import Mode, SearchField
from workflow_store.store import WorkflowStore

_MATCH_STYLE: Final = "bold yellow"
# The title stands in the workflow's own line.
_BELOW: Final = {"description": "description", "explainer_text": "explainer"}
_LONGEST: Final = 400


async def search(
    words: Annotated[list[str], Parameter(name="WORDS...")],
    /,
    *,
    mode: Mode = "fulltext",
    search_fields: Annotated[list[SearchField] | None, Parameter(negative=())] = None,
    limit: int = 20,
    after: str | None = None,
    total: Flag = False,
    include: Annotated[list[ListedPart] | None, Parameter(negative=())] = None,
    filters: Filters = ALL,
    common: Common = COMMON,
) -> None:
    """Find workflows by what is written in them, the best first.

    `"an exact phrase"`, `or` and `-without` are understood, in quotes of the shell: `search '"ai agent" -slack'`. With
    `--json` each item has its rank, the workflow, and the texts in which something was found as pieces, each with
    whether it is a match.

    Args:
        words: What to find; several arguments are one question.
        mode: fulltext: words in any form of theirs, in all texts. substring: a part of a text, ordered by id. fuzzy:
            titles that resemble the words, however they are misspelt.
        search_fields: A text that --mode substring looks into; may be given several times. Without it, title and
            description.
        limit: Workflows in a page, 1 to 1,000.
        after: The cursor that the page before told, with the same words, mode and filters.
        total: Also count all that --mode substring finds; the other modes always tell.
        include: Parts of the workflows of --json; may be given several times. Without it, metadata.
    """
    output = common.output
    async with WorkflowStore.open(command_settings()) as store:
        page = await store.search_workflows(
            " ".join(words),
            mode=mode,
            search_fields=search_fields or ("title", "description"),
            limit=limit,
            after=after,
            include=listed_parts(output, include),
            total=total,
            **filters.given,
        )
    if output.json:
        output.raw(Json(_document(page)).raw)
        return
    if page.items:
        _show(output, page)
    else:
        output.show("nothing was found" if after is None else "nothing more was found")
    if page.capped:
        output.show(f"more than {page.total:,} match; the best among so many are shown")
    elif page.total:
        output.show(f"{page.total:,} in all")
    if page.next is not None:
        output.note(f"the next page: the same command with --after {page.next}")


async def suggest(
    prefix: Annotated[str, Parameter(name="PREFIX")],
    /,
    *,
    limit: int = 10,
    common: Common = COMMON,
) -> None:
    """Show titles of which a word begins with the given letters; those that begin with them come first.

    With `--json` they are `titles`.

    Args:
        prefix: The first letters.
        limit: Titles at most, 1 to 1,000.
    """
    output = common.output
    async with WorkflowStore.open(command_settings()) as store:
        titles = await store.suggest(prefix, limit=limit)
    if output.json:
        output.document({"titles": titles})
    elif titles:
        output.show(*(Text(line(found)) for found in titles), whole=True)
    else:
        output.note("no title has a word that begins so")


def _document(page: SearchPage) -> dict[str, Any]:
    items = [
        {
            "rank": hit.rank,
            "highlights": {
                field: [{"text": piece, "match": match} for piece, match in highlight.segments]
                for field, highlight in hit.highlights.items()
            },
            "workflow": hit.workflow.to_json(),
        }
        for hit in page.items
    ]
    return {"items": items, "next": page.next, "total": page.total, "capped": page.capped}


def _show(output: Output, page: SearchPage) -> None:
    """The lines of ``list``, and below each workflow the texts in which something was found."""
    workflows = [hit.workflow for hit in page.items]
    heads, *shown = listed(workflows, [_title(hit) for hit in page.items], output.width)
    output.show(*heads, whole=True)
    for lines, hit in zip(shown, page.items, strict=True):
        output.show(*lines, whole=True)
        output.show(*(Padding(text, (0, 0, 0, 2)) for text in _texts(hit)))


def _title(hit: SearchHit) -> Text:
    found = hit.highlights.get("title")
    return Text(title(hit.workflow)) if found is None else _marked(found)


def _texts(hit: SearchHit) -> Iterator[Text]:
    for field, name in _BELOW.items():
        if field in hit.highlights:
            yield Text.assemble((f"{name}  ", "dim"), _marked(hit.highlights[field]))


def _marked(highlight: Highlight) -> Text:
    # The marks stay while the text is made harmless: pieces that are cleaned one by one lose the spaces between them.
    harmless = Highlight.read(line(highlight.marked(MATCH_STARTS, MATCH_ENDS), _LONGEST))
    return Text.assemble(
        *((piece.replace(MATCH_ENDS, ""), _MATCH_STYLE if match else "") for piece, match in harmless.segments)
    )
