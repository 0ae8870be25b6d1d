"""Listings: filters, orders and pages, joined from the fragments in ``sql/workflow/list``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias, get_args

from workflow_store.errors import InvalidCursor, InvalidField, shown
from workflow_store.queries.rows import WorkflowRow
from workflow_store.repository import cursor as cursors
from workflow_store.repository.filters import FILTERS as FILTERS
from workflow_store.repository.filters import LARGEST, storable
from workflow_store.repository.filters import Fragment as Fragment
from workflow_store.repository.filters import check_filters as check_filters
from workflow_store.repository.filters import filter_fragments as filter_fragments

OrderBy: TypeAlias = Literal["extracted_at", "updated_at", "quality_score", "views", "title", "node_count"]
DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1_000

ORDERS: Final[tuple[OrderBy, ...]] = get_args(OrderBy)
_KEY_COLUMNS: Final[Mapping[str, str]] = {
    "extracted_at": "extracted_at",
    "updated_at": "updated_at",
    "quality_score": "quality_score",
    "views": "views_key",
    "title": "title_key",
    "node_count": "node_count_key",
}
# These keys can be absent; such rows come last, by id.
NULLABLE: Final[frozenset[str]] = frozenset(("quality_score", "views", "title", "node_count"))
# A bound on the key of an order narrows that order; the rows outside it are never walked over.
_OWN_FILTERS: Final[Mapping[str, Collection[str]]] = {
    "extracted_at": ("extracted_after", "extracted_before"),
    "updated_at": ("updated_after",),
    "quality_score": ("min_quality", "max_quality"),
    "views": ("min_views",),
    "node_count": ("min_nodes", "max_nodes"),
}
# How many rows of the order are looked at for one of a page, before all that match are gathered instead: enough for
# filters that one workflow in ten meets. docs/listing.md has what that costs.
WALKED: Final = 10
LISTED_PARTS: Final[frozenset[str]] = frozenset(("metadata", "structure", "content"))
STREAMED_PARTS: Final[frozenset[str]] = LISTED_PARTS | {"transcripts"}
DEFAULT_PREFETCH: Final = 100


def opening_fragments(parts: Collection[str]) -> list[Fragment]:
    """The columns of workflows and where they come from, with the parts that are asked for."""
    return [
        ("workflow/list/select", ()),
        ("workflow/list/from", tuple(part in parts for part in ("metadata", "structure", "content"))),
    ]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: behind this key and id; ``absent`` says that the keys of the rows there are."""

    key: Any
    workflow_id: str
    absent: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """A listing that was checked: its order, its filters, and where its page begins."""

    order_by: OrderBy
    descending: bool
    filters: Mapping[str, Any]
    limit: int
    offset: int | None
    place: Place | None

    @property
    def direction(self) -> str:
        return "desc" if self.descending else "asc"

    @property
    def can_lack_key(self) -> bool:
        """Whether a workflow without the key can match; it never meets a bound on that key."""
        return self.order_by in NULLABLE and not self._own_filters()

    def skipping(self, parts: Collection[str], limit: int) -> list[Fragment]:
        """The fragments of a page that is found by counting rows."""
        end: Fragment = ("workflow/list/skip", (limit, self.offset or 0))
        filters = filter_fragments(self.filters)
        return [("workflow/list/page", ()), *filters, self._all_in_order(), end, *self._rows(parts)]

    def page(self, parts: Collection[str], limit: int, *, absent: bool) -> list[Fragment]:
        """The fragments of a page without filters.

        Args:
            absent: look among the rows that lack the key, which come behind all others, not among those that have it.
        """
        return [("workflow/list/page", ()), *self._behind(absent), *self._first(limit), *self._rows(parts)]

    def walking(self, parts: Collection[str], limit: int, *, absent: bool) -> list[Fragment]:
        """The fragments of a page among the next rows of the order; where it is not full, there may be more."""
        return [
            ("workflow/list/walk", ()),
            *filter_fragments(self._own_filters()),
            *self._behind(absent),
            *self._first(WALKED * limit),
            ("workflow/list/walked", ()),
            *filter_fragments(self.filters),
            *self._first(limit),
            *self._rows(parts),
        ]

    def gathering(self, parts: Collection[str], limit: int, *, absent: bool) -> list[Fragment]:
        """The fragments of a page out of all that match."""
        return [
            ("workflow/list/gather", ()),
            *filter_fragments(self.filters),
            *self._behind(absent),
            ("workflow/list/gathered", ()),
            *self._first(limit),
            *self._rows(parts),
        ]

    def ids(self) -> list[Fragment]:
        """The fragments of all ids in order."""
        return [("workflow/list/ids", ()), *filter_fragments(self.filters), self._all_in_order()]

    def of_ids(self, ids: Sequence[str], parts: Collection[str]) -> list[Fragment]:
        """The fragments of the workflows with these ids, in order."""
        return [("workflow/list/given", (ids,)), *self._rows(parts)]

    def _own_filters(self) -> dict[str, Any]:
        own = _OWN_FILTERS.get(self.order_by, ())
        return {name: value for name, value in self.filters.items() if name in own}

    def _behind(self, absent: bool) -> list[Fragment]:
        fragments: list[Fragment] = []
        if self.order_by in NULLABLE:
            fragments.append((f"workflow/list/{'without' if absent else 'with'}_{self.order_by}", ()))
        if self.place is None or self.place.absent != absent:
            return fragments
        if absent:
            return [*fragments, (f"workflow/list/after_id_{self.direction}", (self.place.workflow_id,))]
        values = (self.place.key, self.place.workflow_id)
        return [*fragments, (f"workflow/list/after_{self.order_by}_{self.direction}", values)]

    def _first(self, limit: int) -> list[Fragment]:
        return [(f"workflow/list/order_{self.order_by}_{self.direction}", ()), ("workflow/list/limit", (limit,))]

    def _all_in_order(self) -> Fragment:
        # NULLS LAST, even where there are none, is an order that no index gives downwards.
        form = "sort" if self.order_by in NULLABLE else "order"
        return f"workflow/list/{form}_{self.order_by}_{self.direction}", ()

    def _rows(self, parts: Collection[str]) -> list[Fragment]:
        return [
            ("workflow/list/close", ()),
            *opening_fragments(parts),
            ("workflow/list/join", ()),
            (f"workflow/list/sort_{self.order_by}_{self.direction}", ()),
        ]

    def cursor_behind(self, last: WorkflowRow) -> str:
        """The cursor of the page behind a row."""
        key = getattr(last, _KEY_COLUMNS[self.order_by])
        spelt = key.isoformat() if isinstance(key, datetime) else key
        bound = cursors.binding(self.order_by, self.descending, self.filters)
        return cursors.encode([bound, spelt, last.workflow_id])


def listing(
    *,
    order_by: str,
    order_desc: bool,
    limit: object,
    offset: object,
    after: str | None,
    filters: Mapping[str, Any],
) -> Listing:
    """Check what a caller asks for.

    Raises:
        InvalidField: an order, a filter or a bound that is not allowed.
        InvalidCursor: ``after`` is damaged, or of another order or other filters.
    """
    if order_by not in ORDERS:
        raise InvalidField("order_by", f"{order_by!r} is no order", ORDERS)
    rows = check_limit(limit)
    skipped = None if offset is None else whole_number("offset", offset, 0)
    if skipped is not None and after is not None:
        raise InvalidField("offset", "goes without a cursor; give one of the two")
    given = check_filters(filters)
    place = None if after is None else _place(after, cursors.binding(order_by, order_desc, given), order_by)
    return Listing(order_by, order_desc, given, rows, skipped, place)


def check_limit(limit: object) -> int:
    """A page's size, from 1 to 1,000.

    Raises:
        InvalidField: it is not.
    """
    return whole_number("limit", limit, 1, MAX_LIMIT)


def whole_number(name: str, value: object, least: int, most: int = LARGEST) -> int:
    """An int within bounds.

    Raises:
        InvalidField: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        allowed = f"{least:,} or more" if most == LARGEST else f"{least:,} to {most:,}"
        raise InvalidField(name, f"{allowed}, not {shown(value)}")
    return value


def check_parts(include: Collection[str], allowed: Collection[str]) -> frozenset[str]:
    """The parts that are asked for.

    Raises:
        InvalidField: one of them is no part that can be asked for here.
    """
    asked = frozenset((include,)) if isinstance(include, str) else frozenset(include)
    for part in sorted(asked, key=str):
        if part not in allowed:
            raise InvalidField("include", f"{part!r} is no part that can be asked for here", allowed)
    return asked


def _place(cursor: str, bound: str, order_by: str) -> Place:
    key, workflow_id = cursors.decode(cursor, bound)
    try:
        absent = key is None and order_by in NULLABLE
        return Place(None if absent else _key(order_by, key), storable(workflow_id), absent)
    except (ValueError, TypeError, OverflowError):
        raise InvalidCursor("the cursor is damaged") from None


def _key(order_by: str, key: Any) -> Any:
    match order_by:
        case "extracted_at" | "updated_at":
            return datetime.fromisoformat(key).astimezone(UTC)
        case "title":
            return storable(key)
        case "quality_score" if isinstance(key, int | float) and not isinstance(key, bool):
            return float(key)
        case "views" | "node_count" if type(key) is int and -LARGEST - 1 <= key <= LARGEST:
            return key
        case _:
            raise ValueError
