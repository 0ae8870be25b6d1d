"""The very statements that a method sends, and the plans they ran with."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, TypeVarTuple

from benchmarks.statements import body, text
from workflow_store.database import Database, Session
from workflow_store.queries.query import Query

Row = TypeVar("Row")
Args = TypeVarTuple("Args")
Connection: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Sent:
    """A statement with its arguments; ``planned`` says that it was planned for these arguments alone."""

    text: str
    arguments: tuple[Any, ...]
    planned: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """How the server ran one statement.

    Attributes:
        nodes: types of its nodes in order, each with its index or table, or nothing.
        buffers: pages of 8 kB it read, from its cache or not.
        kind: ``"generic"`` for a plan that serves all arguments, ``"custom"`` for one made for these.
    """

    nodes: tuple[tuple[str, str], ...]
    buffers: int
    kind: str

    @property
    def scans(self) -> tuple[tuple[str, str], ...]:
        """Those nodes that read a table or an index, without repeats."""
        return tuple(dict.fromkeys(node for node in self.nodes if node[1]))

    @property
    def others(self) -> tuple[str, ...]:
        """The types of the other nodes, without repeats."""
        return tuple(dict.fromkeys(kind for kind, place in self.nodes if not place))


class Recorded:
    """The sessions of a pool; while ``sent`` is a list, what is sent over them is written there."""

    parallel: bool = True

    def __init__(self, database: Database) -> None:
        self._database = database
        self.sent: list[Sent] | None = None

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        async with self._database.session() as session:
            yield session if self.sent is None else _RecordingSession(session.connection, self.sent)

    def holds(self, pid: int) -> bool:
        """Whether the connection to that server process is one of the pool's."""
        return self._database.holds(pid)


class _RecordingSession(Session):
    def __init__(self, connection: Connection, sent: list[Sent]) -> None:
        super().__init__(connection)
        self._sent = sent

    async def fetch(self, query: Query[Row, *Args], *args: *Args) -> list[Row]:
        self._sent.append(Sent(query.text, tuple(args)))
        return await super().fetch(query, *args)

    async def fetch_optional(self, query: Query[Row, *Args], *args: *Args) -> Row | None:
        self._sent.append(Sent(query.text, tuple(args)))
        return await super().fetch_optional(query, *args)

    async def fetch_text(self, text: str, args: Iterable[Any], read: Any) -> list[Any]:
        given = tuple(args)
        self._sent.append(Sent(text, given))
        return await super().fetch_text(text, given, read)

    async def fetch_planned(self, text: str, args: Iterable[Any], read: Any) -> list[Any]:
        given = tuple(args)
        self._sent.append(Sent(text, given, planned=True))
        return await super().fetch_planned(text, given, read)


async def explain(connection: Connection, sent: Iterable[Sent]) -> list[Plan]:
    """The plans of statements, run again in one transaction, so that a setting one of them makes holds for the next.

    A statement that the session has prepared is explained as prepared: with the generic plan, where the server has
    settled on it. Any other is planned for its arguments.
    """
    async with connection.transaction():
        return [await _explain(connection, statement) for statement in sent]


async def _explain(connection: Connection, sent: Sent) -> Plan:
    prepared = None if sent.planned else await connection.fetchrow(text("prepared"), sent.text)
    if prepared is None:
        answer = await connection.fetchval(f"{body('explain')}\n{sent.text}", *sent.arguments)
        return read_plan(answer, "custom")
    literals = [
        await connection.fetchval(text("literal").format(type=type_name), value)
        for type_name, value in zip(prepared["parameter_types"], sent.arguments, strict=True)
    ]
    arguments = f"({', '.join(literals)})" if literals else ""
    question = body("explain_prepared").format(name=f'"{prepared["name"]}"', arguments=arguments)
    before = prepared["generic_plans"]
    answer = await connection.fetchval(question)
    after = (await connection.fetchrow(text("prepared"), sent.text))["generic_plans"]
    return read_plan(answer, "generic" if after > before else "custom")


def read_plan(answer: str, kind: str) -> Plan:
    """A plan out of the JSON that EXPLAIN answers."""
    top = json.loads(answer)[0]["Plan"]
    buffers = top.get("Shared Hit Blocks", 0) + top.get("Shared Read Blocks", 0)
    return Plan(tuple(_named(node) for node in _walk(top)), buffers, kind)


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _walk(below)


def _named(node: dict[str, Any]) -> tuple[str, str]:
    return str(node["Node Type"]), str(node.get("Index Name") or node.get("Relation Name") or "")
