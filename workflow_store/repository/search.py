"""Methods that find workflows by what is written in them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

from workflow_store.database import Session, operation
from workflow_store.errors import InvalidField
from workflow_store.models.search import Highlight, SearchHit, SearchPage
from workflow_store.models.workflow import Part
from workflow_store.queries import join
from workflow_store.queries.rows import WorkflowRow, to_workflow
from workflow_store.queries.search import SUGGEST, TOLERANCE
from workflow_store.repository import cursor as cursors
from workflow_store.repository.listing import (
    LISTED_PARTS,
    Fragment,
    check_filters,
    check_limit,
    check_parts,
    filter_fragments,
    opening_fragments,
    whole_number,
)
from workflow_store.repository.scope import Scope

Mode: TypeAlias = Literal["fulltext", "substring", "fuzzy"]
SearchField: TypeAlias = Literal["title", "description", "use_case"]

# Ranking reads the document of each candidate: a word that is everywhere would cost the more, the more there are.
RANKED_CANDIDATES: Final = 2_000
MAX_QUERY_LENGTH: Final = 2_000
_SUGGESTED_CANDIDATES: Final = 500
_HIGHLIGHTED: Final = ("title", "description", "explainer_text")


class FoundRow(NamedTuple):
    """What a search adds to the columns of a workflow."""

    rank: float
    matches: int | None
    title_highlight: str | None
    description_highlight: str | None
    explainer_highlight: str | None


class SearchMethods(Scope):
    """Search and suggest."""

    @operation
    async def search_workflows(
        self,
        query: str,
        *,
        mode: Mode = "fulltext",
        search_fields: Collection[SearchField] = ("title", "description"),
        limit: int = 50,
        after: str | None = None,
        include: Collection[Part] = frozenset(("metadata",)),
        total: bool = False,
        timeout: float | None = None,
        **filters: Any,
    ) -> SearchPage:
        """Workflows that match, the best first; equal ranks are ordered by id.

        ``mode="fulltext"`` finds words in any form of theirs, in titles, descriptions and use cases, node names and
        tags, explainers and transcripts, in this order of weight. It understands what people type into a search box:
        ``"exact phrase"``, ``or``, ``-without``. Of a word that is in very many workflows, the first 2,000 candidates
        are ranked, those that match by title and description first; ``capped`` says so. ``mode="substring"`` finds a
        part of a text, whatever its case, in the fields that are named, ordered by id. ``mode="fuzzy"`` finds titles
        that resemble the words, however they are misspelt.

        Args:
            query: at most 2,000 characters.
            search_fields: for ``mode="substring"``: of ``title``, ``description`` and ``use_case``.
            limit: 1 to 1,000.
            after: ``next`` of the page before, with the same query, mode and filters.
            include: parts to load, of ``metadata``, ``structure`` and ``content``.
            total: also count what ``mode="substring"`` finds; the other modes always tell.
            filters: those of ``list_workflows``.

        Raises:
            InvalidField: a query, mode, field, filter or bound that is not allowed.
            InvalidCursor: a cursor of another search.
        """
        words = _checked_query(query)
        if mode not in get_args(Mode):
            raise InvalidField("mode", f"{mode!r} is no mode", get_args(Mode))
        fields = _checked_fields(search_fields)
        asked = check_parts(include, LISTED_PARTS)
        given = check_filters(filters)
        rows = check_limit(limit)
        binding = cursors.binding("search", words, mode, fields, given)
        place = None if after is None else cursors.decode_ranked(after, binding)
        page = _PAGES[mode](words, fields, filter_fragments(given), place, rows + 1)
        ranked = mode == "fulltext"
        fragments: list[Fragment] = [*page, *_columns(asked, ranked=ranked), ("search/sort", ())]
        text, arguments = join(fragments)
        async with self._sessions.session() as session:
            if mode == "fuzzy":
                async with session.transaction():
                    await session.fetch_one(TOLERANCE)
                    found = await session.fetch_text(text, arguments, _read)
            else:
                found = await session.fetch_text(text, arguments, _read)
            count = await _total(session, mode, words, fields, given, found, wanted=total)
        hits = tuple(
            SearchHit(to_workflow(row, transcripts=False), extra.rank, _highlights(extra))
            for row, extra in found[:rows]
        )
        next_page = None
        if len(found) > rows:
            next_page = cursors.encode([binding, hits[-1].rank, hits[-1].workflow.workflow_id])
        capped = mode != "substring" and count == RANKED_CANDIDATES + 1
        return SearchPage(hits, next_page, RANKED_CANDIDATES if capped else count, capped)

    @operation
    async def suggest(self, prefix: str, *, limit: int = 10, timeout: float | None = None) -> list[str]:
        """Titles of which a word begins with the given letters, for type-ahead; titles that begin with them first.

        Args:
            prefix: what was typed so far; ``%`` and ``_`` mean themselves.
            limit: 1 to 1,000.

        Raises:
            InvalidField: an empty or overlong prefix, or a bound that is not allowed.
        """
        rows = whole_number("limit", limit, 1, 1_000)
        letters = _escaped(_checked_query(prefix, field="prefix"))
        async with self._sessions.session() as session:
            return await session.fetch(SUGGEST, f"{letters}%", f"% {letters}%", _SUGGESTED_CANDIDATES, rows)


def _checked_query(query: object, field: str = "query") -> str:
    if not isinstance(query, str) or not query.strip():
        raise InvalidField(field, f"some text is expected, not {query!r}")
    if len(query) > MAX_QUERY_LENGTH:
        raise InvalidField(field, f"at most {MAX_QUERY_LENGTH:,} characters, not {len(query):,}")
    try:
        query.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidField(field, "holds half a character (a lone surrogate)") from None
    if "\x00" in query:
        raise InvalidField(field, "holds a NUL character")
    return query


def _checked_fields(fields: Collection[str]) -> tuple[str, ...]:
    named = (fields,) if isinstance(fields, str) else tuple(fields)
    for name in named:
        if name not in get_args(SearchField):
            raise InvalidField("search_fields", f"{name!r} can't be searched", get_args(SearchField))
    if not named:
        raise InvalidField("search_fields", "name at least one", get_args(SearchField))
    return tuple(sorted(set(named)))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


Place: TypeAlias = tuple[float, str] | None


def _fulltext(words: str, fields: Sequence[str], filters: list[Fragment], place: Place, limit: int) -> list[Fragment]:
    return [
        ("search/open", (words,)),
        *filters,
        ("search/open_rest", (RANKED_CANDIDATES + 1,)),
        *filters,
        ("search/close", (RANKED_CANDIDATES + 1,)),
        *([] if place is None else [("search/after", place)]),
        ("search/order", (limit,)),
    ]


def _fuzzy(words: str, fields: Sequence[str], filters: list[Fragment], place: Place, limit: int) -> list[Fragment]:
    return [
        ("search/fuzzy_open", (words, words)),
        *filters,
        ("search/fuzzy_close", (RANKED_CANDIDATES + 1,)),
        *([] if place is None else [("search/after", place)]),
        ("search/order", (limit,)),
    ]


def _substring(words: str, fields: Sequence[str], filters: list[Fragment], place: Place, limit: int) -> list[Fragment]:
    pattern = f"%{_escaped(words)}%"
    return [
        ("search/substring_open", ()),
        *((f"search/substring_{name}", (pattern,)) for name in fields),
        ("search/substring_close", ()),
        *filters,
        *([] if place is None else [("search/substring_after", (place[1],))]),
        ("search/substring_order", (limit,)),
    ]


_PAGES: Final = {"fulltext": _fulltext, "fuzzy": _fuzzy, "substring": _substring}


def _columns(parts: Collection[str], *, ranked: bool) -> list[Fragment]:
    select, source = opening_fragments(parts)
    if ranked:
        return [select, ("search/columns", ()), source, ("search/join_ranked", ())]
    return [select, ("search/plain_columns", ()), source, ("search/join", ())]


async def _total(
    session: Session,
    mode: Mode,
    words: str,
    fields: Sequence[str],
    filters: dict[str, Any],
    found: Sequence[tuple[WorkflowRow, FoundRow]],
    *,
    wanted: bool,
) -> int | None:
    if mode != "substring":
        return found[0][1].matches if found else 0
    if not wanted:
        return None
    pattern = f"%{_escaped(words)}%"
    text, arguments = join(
        [
            ("search/substring_count", ()),
            *((f"search/substring_{name}", (pattern,)) for name in fields),
            ("search/substring_close", ()),
            *filter_fragments(filters),
        ]
    )
    (count,) = await session.fetch_text(text, arguments, lambda record: int(record[0]))
    return count


def _read(record: Any) -> tuple[WorkflowRow, FoundRow]:
    columns = len(WorkflowRow._fields)
    return WorkflowRow._make(record[:columns]), FoundRow._make(record[columns:])


def _highlights(row: FoundRow) -> dict[str, Highlight]:
    marked = zip(_HIGHLIGHTED, row[2:], strict=True)
    read = {field: Highlight.read(text) for field, text in marked if text}
    return {field: highlight for field, highlight in read.items() if highlight.matches}
