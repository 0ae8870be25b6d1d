"""The filters of list, count, stream and search: what each takes, and the fragment of SQL it becomes."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from workflow_store.errors import InvalidField, shown
from workflow_store.models.json import Json

Fragment: TypeAlias = tuple[str, tuple[Any, ...]]

LARGEST: Final = 2**63 - 1
# What the index on authors holds of a name; see migrations/0005_listing.sql.
_AUTHOR_HEAD: Final = 128


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter.

    Attributes:
        expected: what its value is, in words.
        convert: makes the value that is compared and bound to a cursor; raises ``ValueError`` for anything else.
        fragment: the file and its parameters, of the filter's name and converted value.
    """

    expected: str
    convert: Callable[[Any], Any]
    fragment: Callable[[str, Any], Fragment]


def check_filters(filters: Mapping[str, Any]) -> dict[str, Any]:
    """The filters that are not None, converted and in a fixed order.

    Raises:
        InvalidField: an unknown name, or a value of another type.
    """
    for name in filters:
        if name not in FILTERS:
            raise InvalidField(name, "is no filter", FILTERS)
    checked: dict[str, Any] = {}
    for name, spec in FILTERS.items():
        value = filters.get(name)
        if value is None:
            continue
        try:
            checked[name] = spec.convert(value)
        except (TypeError, ValueError, OverflowError):
            raise InvalidField(name, f"{spec.expected} is expected, not {shown(value)}") from None
    return checked


def filter_fragments(filters: Mapping[str, Any]) -> list[Fragment]:
    """The fragments of filters that ``check_filters`` has checked; they speak of ``workflows`` as ``w``."""
    return [FILTERS[name].fragment(name, value) for name, value in filters.items()]


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise ValueError
    return float(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -LARGEST - 1 <= value <= LARGEST:
        raise ValueError
    return value


def _moment(value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise ValueError
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _names(value: Any) -> tuple[str, ...]:
    """One string or some, as a sorted tuple without repeats."""
    if not isinstance(value, Collection) or isinstance(value, bytes | bytearray | Mapping):
        raise ValueError
    several: Collection[Any] = value  # pyright: ignore[reportUnknownVariableType]
    names: set[Any] = {value} if isinstance(value, str) else set(several)
    if not names:
        raise ValueError
    return tuple(sorted(storable(name) for name in names))


def storable(value: Any) -> str:
    """A string that PostgreSQL's ``text`` can hold.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError
    value.encode("utf-8")  # a lone surrogate raises a ValueError
    return value


def _path(name: str) -> str:
    return f"workflow/list/filter_{name}"


def _compared(name: str, value: Any) -> Fragment:
    return _path(name), (value,)


def _either(yes: str, no: str) -> Callable[[str, Any], Fragment]:
    # Two texts and no parameter: a partial index serves what is stated in the text only.
    return lambda name, value: (_path(yes if value else no), ())


def _any_of(name: str, value: Any) -> Fragment:
    return _path(name), ([Json([item]) for item in value],)


def _all_of(name: str, value: Any) -> Fragment:
    return _path(name), (Json(list(value)),)


def _authors(name: str, value: Any) -> Fragment:
    return _path(name), ([author[:_AUTHOR_HEAD] for author in value], list(value))


_LAYER: Final = Filter("a bool", _flag, _compared)
_WHOLE: Final = Filter("a whole number of 64 bits", _count, _compared)
_SCORE: Final = Filter("a float", _number, _compared)
_MOMENT: Final = Filter("a datetime", _moment, _compared)
_SOME: Final = "a string, or a collection of at least one, without NUL and lone surrogates,"


FILTERS: Final[Mapping[str, Filter]] = {
    "layer1_success": _LAYER,
    "layer2_success": _LAYER,
    "layer3_success": _LAYER,
    "min_quality": _SCORE,
    "max_quality": _SCORE,
    "node_type": Filter(_SOME, _names, _any_of),
    "node_type_all": Filter(_SOME, _names, _all_of),
    "category": Filter(_SOME, _names, _any_of),
    "tag": Filter(_SOME, _names, _any_of),
    "author": Filter(_SOME, _names, _authors),
    "min_views": _WHOLE,
    "has_videos": Filter("a bool", _flag, _either("has_videos", "has_no_videos")),
    "min_nodes": _WHOLE,
    "max_nodes": _WHOLE,
    "extracted_after": _MOMENT,
    "extracted_before": _MOMENT,
    "updated_after": _MOMENT,
    "has_error": Filter("a bool", _flag, _either("has_error", "has_no_error")),
}
