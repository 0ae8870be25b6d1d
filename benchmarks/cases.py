"""The reads that are measured, as a user calls them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from benchmarks.picks import Picks, misspelt
from workflow_store.models.workflow import Part
from workflow_store.repository import Repository
from workflow_store.repository.listing import MAX_LIMIT, ORDERS, OrderBy

PAGE: Final = 50
HITS: Final = 20
DEEP: Final = 1_000


@dataclass(frozen=True, slots=True)
class Case:
    """One read.

    Attributes:
        name: in words.
        call: does it; takes the number of the call, for those that ask for something else each time.
        matching: how many workflows there are to find, as far as that is known.
        bare: whether its statements are also timed without the store, over the same connection.
        varies: whether the argument matters.
    """

    name: str
    call: Callable[[int], Awaitable[object]]
    matching: int | None = None
    bare: bool = False
    varies: bool = False


async def all_cases(repository: Repository, picks: Picks) -> list[Case]:
    """Everything that is measured, in the order of the table."""
    found = _single(repository, picks)
    for order in ORDERS:
        for descending in (True, False):
            found += await _pages(repository, picks, order, descending)
    found += [await _filtered(repository, name, value) for name, value in picks.filters]
    found += await _counts(repository, picks)
    found += _searches(repository, picks)
    found.append(Case("statistics", lambda _: repository.get_statistics()))
    found.append(Case("statistics, node types too", lambda _: repository.get_statistics(detailed=True)))
    return found


def deep_page(total: int) -> int:
    """The number of the page far behind the first: 1,000, or the middle one of a small store."""
    return max(2, min(DEEP, total // PAGE // 2))


def _single(repository: Repository, picks: Picks) -> list[Case]:
    ids = picks.ids
    metadata: tuple[Part, ...] = ("metadata",)
    return [
        Case("get, all parts", lambda n: repository.get_workflow(ids[n % len(ids)]), bare=True, varies=True),
        Case(
            "get, metadata only",
            lambda n: repository.get_workflow(ids[n % len(ids)], include=metadata),
            bare=True,
            varies=True,
        ),
    ]


async def _pages(repository: Repository, picks: Picks, order: OrderBy, descending: bool) -> list[Case]:
    number = deep_page(picks.total)
    cursor = await _cursor(repository, order, descending, (number - 1) * PAGE)
    name = f"list by {order} {'down' if descending else 'up'}, page"
    return [
        Case(
            f"{name} 1",
            lambda _: repository.list_workflows(order_by=order, order_desc=descending, limit=PAGE),
            picks.total,
            bare=True,
        ),
        Case(
            f"{name} {number:,}",
            lambda _: repository.list_workflows(order_by=order, order_desc=descending, limit=PAGE, after=cursor),
            picks.total,
            bare=True,
        ),
    ]


async def _cursor(repository: Repository, order: OrderBy, descending: bool, skipped: int) -> str | None:
    """The cursor behind the first ``skipped`` rows; a cursor fits pages of any size."""
    cursor: str | None = None
    while skipped > 0:
        size = min(MAX_LIMIT, skipped)
        page = await repository.list_workflows(
            order_by=order, order_desc=descending, limit=size, after=cursor, include=()
        )
        cursor = page.next
        skipped -= size
    return cursor


async def _filtered(repository: Repository, name: str, value: Any) -> Case:
    return Case(
        f"list, {name}={_spelt(value)}",
        lambda _: repository.list_workflows(limit=PAGE, **{name: value}),
        await repository.count_workflows(**{name: value}),
    )


async def _counts(repository: Repository, picks: Picks) -> list[Case]:
    cases = [Case("count, all", lambda _: repository.count_workflows(), picks.total)]
    for wanted in ("node_type", "min_quality", "tag"):
        for name, value in picks.filters:
            if name == wanted:
                cases.append(_count(repository, name, value, await repository.count_workflows(**{name: value})))
    return cases


def _count(repository: Repository, name: str, value: Any, matching: int) -> Case:
    return Case(f"count, {name}={_spelt(value)}", lambda _: repository.count_workflows(**{name: value}), matching)


def _searches(repository: Repository, picks: Picks) -> list[Case]:
    common, rare = picks.common_word, picks.rare_word
    cases: list[Case] = []
    for word, kind in ((common, "common"), (rare, "rare")):
        if word is None:
            continue
        cases += [
            _search(repository, f"search, {kind} word", word, bare=True),
            _search(repository, f"search, {kind} word, misspelt, fuzzy", misspelt(word), mode="fuzzy"),
            _search(repository, f"search, {kind} substring", word[1:-1], mode="substring"),
            _suggest(repository, kind, word[:4].lower()),
        ]
    if common is not None and rare is not None:
        cases.append(_search(repository, "search, common or rare word", f"{common} or {rare}", bare=True))
    return cases


def _suggest(repository: Repository, kind: str, start: str) -> Case:
    return Case(f"suggest, of a {kind} word {start!r}", lambda _: repository.suggest(start))


def _search(repository: Repository, name: str, query: str, *, bare: bool = False, **options: Any) -> Case:
    return Case(f"{name} {query!r}", lambda _: repository.search_workflows(query, limit=HITS, **options), bare=bare)


async def stream(repository: Repository, count: int, include: Collection[Part]) -> int:
    """Read the first ``count`` workflows of a stream; how many there were."""
    read = 0
    async with aclosing(repository.stream_workflows(include=include)) as workflows:
        async for _ in workflows:
            read += 1
            if read == count:
                break
    return read


def _spelt(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")[:16]
    if isinstance(value, tuple):
        return " and ".join(value)
    return str(value)
