"""The commonest reads beside their peers: the bare statement through asyncpg's own pool, and an ORM."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg

from benchmarks.cases import HITS, PAGE
from benchmarks.contestants.alchemy_core import url
from benchmarks.figures import Spread, percentile
from benchmarks.picks import Picks
from benchmarks.plans import Recorded, Sent
from benchmarks.result import Cell, Table
from benchmarks.server import connect
from benchmarks.statements import text
from workflow_store.models.workflow import Workflow
from workflow_store.repository import Repository

# Five executions are planned for their arguments before the server thinks of a plan for all.
_UNTIMED: Final = 6
_IDS: Final = 50
_ROUNDS: Final = 5
_MS: Final = 1_000
BARE: Final = "bare statement, asyncpg's pool"
ORM: Final = "SQLAlchemy 2 ORM, psycopg2"
_AIMS: Final = {
    ("get, all parts", BARE): 1.15,
    ("get, all parts", ORM): 0.2,
    (f"list of {PAGE}", BARE): 1.2,
    ("search, rare word", BARE): 1.2,
    ("search, common word", BARE): 1.2,
}

NOTE: Final = f"""\
Reads beside their peers: one connection each, in turns call by call, the median of {_ROUNDS} rounds' medians, and \
the ratio within a round. The bare statements are those that the store sends, fetched through asyncpg's pool and left \
as records. The ORM tries its connection before each use, and reads tables of its own: it loads what is joined, parses \
documents and builds its objects; its search is that of a substring, unranked and without highlights."""

Ask = Callable[[int], Awaitable[object]]


@dataclass(slots=True)
class Lookup:
    """One read, and the seconds of each who did it, by round.

    Attributes:
        ours: calls the store; takes the number of the call.
        orm: the same by the ORM, if it is there.
        arguments: how many different ones there are.
        sent: the statements that the store sends, for each of the arguments.
        seconds: by peer and round; "" is the store.
    """

    name: str
    ours: Ask
    orm: Callable[[int], object] | None = None
    arguments: int = 1
    sent: list[list[Sent]] = field(default_factory=list[list[Sent]])
    seconds: dict[str, list[list[float]]] = field(default_factory=dict[str, list[list[float]]])

    def p50(self, who: str) -> Spread:
        """Of each round, in ms."""
        return Spread(tuple(percentile(calls, 50) * _MS for calls in self.seconds[who]))

    def ratio(self, who: str) -> Spread:
        """Of the store's median to a peer's within each round."""
        pairs = zip(self.p50("").values, self.p50(who).values, strict=True)
        return Spread(tuple(ours / other for ours, other in pairs))


class Orm:
    """The ORM's tables, filled with what the store has, and a session for each call."""

    def __init__(self, engine: Any, models: Any) -> None:
        self._engine = engine
        self._models = models

    @classmethod
    async def open(cls, dsn: str, connection: asyncpg.Connection[asyncpg.Record]) -> Orm | None:
        """None where SQLAlchemy or psycopg2 is not installed."""
        try:
            import psycopg2  # noqa: F401
            import sqlalchemy

            from benchmarks.contestants import alchemy_models
        except ImportError:
            return None
        engine = sqlalchemy.create_engine(url(dsn, "postgresql+psycopg2"), pool_size=1, pool_pre_ping=True)
        alchemy_models.create(engine)
        alchemy_models.empty(engine)
        for table in alchemy_models.TABLES:
            await connection.execute(text(f"original/{table}"))
        await connection.execute(text("vacuum"))
        return cls(engine, alchemy_models)

    def get(self, workflow_id: str) -> object:
        with self._models.session(self._engine) as session:
            return self._models.find_whole(session, workflow_id)

    def list(self) -> object:
        with self._models.session(self._engine) as session:
            return self._models.list_page(session, PAGE)

    def search(self, word: str) -> object:
        with self._models.session(self._engine) as session:
            return self._models.search(session, word, HITS)

    def close(self) -> None:
        """Give the connection up."""
        self._engine.dispose()


def _lookups(repository: Repository, picks: Picks, orm: Orm | None) -> list[Lookup]:
    """What is compared: models are built on both sides, and searches are ranked and have their highlights."""
    ids = picks.ids[:_IDS]

    async def get(number: int) -> Workflow | None:
        return await repository.get_workflow(ids[number % len(ids)])

    found = [
        Lookup(
            "get, all parts", get, None if orm is None else lambda number: orm.get(ids[number % len(ids)]), len(ids)
        ),
        Lookup(
            f"list of {PAGE}",
            lambda _: repository.list_workflows(limit=PAGE),
            None if orm is None else lambda _: orm.list(),
        ),
    ]
    for kind, word in (("rare", picks.rare_word), ("common", picks.common_word)):
        if word is not None:
            found.append(_search(repository, f"search, {kind} word", word, orm))
    return found


def _search(repository: Repository, name: str, word: str, orm: Orm | None) -> Lookup:
    return Lookup(
        name,
        lambda _: repository.search_workflows(word, limit=HITS),
        None if orm is None else lambda _: orm.search(word),
    )


async def compare(
    dsn: str, sessions: Recorded, repository: Repository, picks: Picks, *, calls: int, alone: bool
) -> list[Lookup]:
    """Ask in turns, call by call, so that what disturbs the machine meets all.

    Args:
        calls: of each in all rounds.
        alone: without the ORM, whose tables would have to be filled.
    """
    connection = await connect(dsn)
    orm: Orm | None = None
    try:
        orm = None if alone else await Orm.open(dsn, connection)
        found = _lookups(repository, picks, orm)
        async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
            await _ask(sessions, found, pool, -(-calls // _ROUNDS))
    finally:
        if orm is not None:
            orm.close()
        await connection.close()
    return found


async def _ask(sessions: Recorded, found: list[Lookup], pool: asyncpg.Pool[asyncpg.Record], calls: int) -> None:
    for lookup in found:
        for number in range(lookup.arguments):
            sessions.sent = []
            await lookup.ours(number)
            lookup.sent.append(sessions.sent)
            sessions.sent = None
        for number in range(_UNTIMED):
            await lookup.ours(number)
            await _bare(pool, lookup.sent[number % lookup.arguments])
            if lookup.orm is not None:
                lookup.orm(number)
        for who in ("", BARE, *((ORM,) if lookup.orm is not None else ())):
            lookup.seconds[who] = []
    for _ in range(_ROUNDS):
        for lookup in found:
            for own in lookup.seconds.values():
                own.append([])
            for number in range(calls):
                await _turn(lookup, pool, number)


async def _turn(lookup: Lookup, pool: asyncpg.Pool[asyncpg.Record], number: int) -> None:
    sent = lookup.sent[number % len(lookup.sent)]
    started = time.perf_counter()
    await lookup.ours(number)
    answered = time.perf_counter()
    lookup.seconds[""][-1].append(answered - started)
    await _bare(pool, sent)
    lookup.seconds[BARE][-1].append(time.perf_counter() - answered)
    if lookup.orm is not None:
        started = time.perf_counter()
        lookup.orm(number)
        lookup.seconds[ORM][-1].append(time.perf_counter() - started)


async def _bare(pool: asyncpg.Pool[asyncpg.Record], sent: list[Sent]) -> None:
    if len(sent) == 1:
        await pool.fetch(sent[0].text, *sent[0].arguments)
        return
    async with pool.acquire() as connection:
        for statement in sent:
            await connection.fetch(statement.text, *statement.arguments)


def table(found: list[Lookup]) -> Table:
    """A row for each who answered."""
    rows: list[tuple[Cell, ...]] = []
    for lookup in found:
        for who in lookup.seconds:
            p50 = lookup.p50(who)
            ratio = lookup.ratio(who) if who else None
            figures = (None, None, None) if ratio is None else (ratio.median, ratio.low, ratio.high)
            aim = _AIMS.get((lookup.name, who))
            words = None if aim is None else f"≤ {aim:g}"
            met = None if aim is None or ratio is None else "yes" if ratio.median <= aim else "no"
            rows.append((lookup.name, who or "workflow-store", p50.median, *figures, words, met))
    columns = ("read", "by", "p50 ms", "workflow-store × this", "lowest", "highest", "aim", "reached")
    return Table("Reads beside their peers", columns, rows)


def document(found: list[Lookup]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "read": lookup.name,
            "by": who or "workflow-store",
            "p50_ms": [round(value, 4) for value in lookup.p50(who).values],
            "ratios": [round(value, 4) for value in lookup.ratio(who).values] if who else None,
            "aim": _AIMS.get((lookup.name, who)),
        }
        for lookup in found
        for who in lookup.seconds
    ]
