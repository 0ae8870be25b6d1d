"""Listings: filters, orders and pages, joined from the fragments in ``sql/workflow/list``."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, Literal, TypeAlias, get_args

from workflow_store.errors import InvalidCursor, InvalidField
from workflow_store.queries.rows import WorkflowRow

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
FILTERS: Final[Mapping[str, type]] = {
    "layer1_success": bool,
    "layer2_success": bool,
    "layer3_success": bool,
    "min_quality": float,
    "max_quality": float,
}
LISTED_PARTS: Final[frozenset[str]] = frozenset(("metadata", "structure", "content"))

Fragment: TypeAlias = tuple[str, tuple[Any, ...]]


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

    def filter_fragments(self) -> list[Fragment]:
        return [(f"workflow/list/filter_{name}", (value,)) for name, value in self.filters.items()]

    def skipping(self, limit: int) -> list[Fragment]:
        """The fragments of a page that is found by counting rows."""
        return [
            *self.filter_fragments(),
            (f"workflow/list/offset_{self.order_by}_{self.direction}", (limit, self.offset or 0)),
        ]

    def with_key(self, limit: int) -> list[Fragment]:
        """The fragments of a page among the rows that have the key it is ordered by."""
        fragments = self.filter_fragments()
        if self.order_by in NULLABLE:
            fragments.append((f"workflow/list/with_{self.order_by}", ()))
        if self.place is not None:
            values = (self.place.key, self.place.workflow_id)
            fragments.append((f"workflow/list/after_{self.order_by}_{self.direction}", values))
        fragments.append((f"workflow/list/order_{self.order_by}_{self.direction}", (limit,)))
        return fragments

    def without_key(self, limit: int) -> list[Fragment]:
        """The fragments of a page among the rows that lack it; they come behind all others."""
        fragments = [*self.filter_fragments(), (f"workflow/list/without_{self.order_by}", ())]
        if self.place is not None and self.place.absent:
            fragments.append((f"workflow/list/after_id_{self.direction}", (self.place.workflow_id,)))
        fragments.append((f"workflow/list/order_id_{self.direction}", (limit,)))
        return fragments

    def cursor_behind(self, last: WorkflowRow) -> str:
        """The cursor of the page behind a row."""
        key = getattr(last, _KEY_COLUMNS[self.order_by])
        spelt = key.isoformat() if isinstance(key, datetime) else key
        return _encode([self._binding(), spelt, last.workflow_id])

    def _binding(self) -> str:
        return _binding(self.order_by, self.descending, self.filters)


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
    place = None if after is None else _decode(after, _binding(order_by, order_desc, given), order_by)
    return Listing(order_by, order_desc, given, rows, skipped, place)


def check_limit(limit: object) -> int:
    """A page's size, from 1 to 1,000.

    Raises:
        InvalidField: it is not.
    """
    return whole_number("limit", limit, 1, MAX_LIMIT)


def whole_number(name: str, value: object, least: int, most: int | None = None) -> int:
    """An int within bounds.

    Raises:
        InvalidField: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        allowed = f"{least:,} or more" if most is None else f"{least:,} to {most:,}"
        raise InvalidField(name, f"{allowed}, not {value!r}")
    return value


def check_filters(filters: Mapping[str, Any]) -> dict[str, Any]:
    """The filters that are not None, in a fixed order.

    Raises:
        InvalidField: an unknown name, or a value of another type.
    """
    for name in filters:
        if name not in FILTERS:
            raise InvalidField(name, "is no filter", FILTERS)
    checked: dict[str, Any] = {}
    for name, kind in FILTERS.items():
        value = filters.get(name)
        if value is None:
            continue
        is_flag = isinstance(value, bool)
        if is_flag != (kind is bool) or not isinstance(value, bool | int | float):
            raise InvalidField(name, f"a {kind.__name__} is expected, not {value!r}")
        checked[name] = kind(value)
    return checked


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


def _binding(order_by: str, descending: bool, filters: Mapping[str, Any]) -> str:
    spelt = json.dumps([order_by, descending, filters], sort_keys=True, default=str)
    return blake2b(spelt.encode("utf-8"), digest_size=9).hexdigest()


def _encode(parts: list[Any]) -> str:
    raw = json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _decode(cursor: str, binding: str, order_by: str) -> Place:
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        bound, key, workflow_id = json.loads(raw)
        if bound != binding:
            raise InvalidCursor("the cursor belongs to another order or other filters; start from the first page")
        if not isinstance(workflow_id, str):
            raise ValueError
        absent = key is None and order_by in NULLABLE
        return Place(None if absent else _key(order_by, key), workflow_id, absent)
    except (AttributeError, ValueError, TypeError, binascii.Error):
        raise InvalidCursor("the cursor is damaged") from None


def _key(order_by: str, key: Any) -> Any:
    if order_by in ("extracted_at", "updated_at"):
        return datetime.fromisoformat(key)
    expected = {"quality_score": (float, int), "views": (int,), "node_count": (int,), "title": (str,)}[order_by]
    if isinstance(key, bool) or not isinstance(key, expected):
        raise ValueError
    return float(key) if order_by == "quality_score" else key
