"""Values to ask for: such as few workflows meet, and such as many do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.statements import text

# What few means here, as a share of all; the plans' promise is for whatever matches less than a hundredth.
_FEW: Final = 0.003
_STILL_FEW: Final = 0.01

Counted = Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Picks:
    """What the reads ask for.

    Attributes:
        total: workflows that are stored.
        filters: single filters with a value each, the rare one first where there is one.
        common_word: of titles; None where there are no titles.
        rare_word: of few titles.
        ids: out of the whole store, in no order.
    """

    total: int
    filters: tuple[tuple[str, Any], ...]
    common_word: str | None
    rare_word: str | None
    ids: tuple[str, ...]


async def pick(connection: Any, *, ids: int = 500) -> Picks:
    """Look at what is stored, and choose."""
    total = (await connection.fetchrow(text("stored")))["stored"]
    ends = dict(await connection.fetchrow(text("picks")))
    counted: dict[str, Counted] = {
        name: [tuple(row) for row in await connection.fetch(text(f"common_{name}"))]
        for name in ("node_types", "categories", "tags", "authors", "words")
    }
    filters: list[tuple[str, Any]] = [
        *((name, flag) for name in _FLAGS for flag in _FLAGS[name]),
        *_named("node_type", counted["node_types"], total),
        *(("node_type_all", pair) for pair in _pairs(counted["node_types"], total)),
        *_named("category", counted["categories"], total),
        *_named("tag", counted["tags"], total),
        *_named("author", counted["authors"], total),
        *((name, ends[column]) for name, column in _ENDS if ends[column] is not None),
    ]
    words = counted["words"]
    return Picks(
        total=total,
        # In a small store the high value can be the middle one too.
        filters=tuple(dict.fromkeys(filters)),
        common_word=words[0][0] if words else None,
        rare_word=rarest(words, total),
        ids=tuple(row["workflow_id"] for row in await connection.fetch(text("some_ids"), ids)),
    )


def rarest(counted: Counted, total: int) -> str | None:
    """The name nearest to 0.3 % of all, or None where each is in at least 1 %."""
    few = [(name, count) for name, count in counted if count < max(2, _STILL_FEW * total)]
    if not few:
        return None
    return min(few, key=lambda pair: (abs(pair[1] - _FEW * total), pair[0]))[0]


def misspelt(word: str) -> str:
    """A word with two of its letters in the wrong order."""
    middle = len(word) // 2
    return word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :]


def _named(name: str, counted: Counted, total: int) -> list[tuple[str, Any]]:
    rare = rarest(counted, total)
    common = counted[0][0] if counted else None
    return [(name, value) for value in dict.fromkeys((rare, common)) if value is not None]


def _pairs(counted: Counted, total: int) -> list[tuple[str, str]]:
    rare = rarest(counted, total)
    pairs: list[tuple[str, str]] = []
    if len(counted) > 2 and rare is not None:
        pairs.append((rare, counted[0][0]))
    if len(counted) > 1:
        pairs.append((counted[0][0], counted[1][0]))
    return pairs


_FLAGS: Final[dict[str, tuple[bool, ...]]] = {
    "layer1_success": (False, True),
    "layer2_success": (False, True),
    "layer3_success": (False, True),
    "has_videos": (True, False),
    "has_error": (True, False),
}
_ENDS: Final = (
    ("min_quality", "high_quality"),
    ("min_quality", "middle_quality"),
    ("max_quality", "low_quality"),
    ("max_quality", "middle_quality"),
    ("min_views", "high_views"),
    ("min_views", "middle_views"),
    ("min_nodes", "high_nodes"),
    ("min_nodes", "middle_nodes"),
    ("max_nodes", "low_nodes"),
    ("max_nodes", "middle_nodes"),
    ("extracted_after", "high_extracted"),
    ("extracted_after", "middle_extracted"),
    ("extracted_before", "low_extracted"),
    ("extracted_before", "middle_extracted"),
    ("updated_after", "high_updated"),
    ("updated_after", "middle_updated"),
)
