"""SQLAlchemy 2's ORM on psycopg2, one transaction a workflow: how the storage works that this one replaces.

Tables of its own without full text (``alchemy_models``); the connection is tried before each use, and each document is
written by ``json.dumps``, as SQLAlchemy does when nothing else is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from benchmarks.contestants.alchemy_core import url
from benchmarks.contestants.contestant import Case, LeftOut
from benchmarks.given import Given
from workflow_store import Json
from workflow_store.queries.parameters import Encoded

_SHARE: Final = 10


class AlchemyOrm:
    """A session, objects of five classes, and a commit for each workflow."""

    name = "SQLAlchemy 2 ORM, psycopg2"
    share = _SHARE
    cases: frozenset[Case] = frozenset(("fresh", "delete"))

    def __init__(self) -> None:
        self._engine: Any = None
        self._models: Any = None
        self._values: list[_Values] = []
        self._ids: list[str] = []

    async def open(self, dsn: str) -> None:
        try:
            import psycopg2  # noqa: F401
            import sqlalchemy

            from benchmarks.contestants import alchemy_models
        except ImportError as error:
            raise LeftOut(f"{error.name} is not installed; `make bench` installs it") from None
        self._models = alchemy_models
        self._engine = sqlalchemy.create_engine(url(dsn, "postgresql+psycopg2"), pool_size=1, pool_pre_ping=True)
        alchemy_models.create(self._engine)

    async def prepare(self, case: Case, given: Given) -> None:
        self._ids = [workflow.workflow_id for workflow in given.workflows]
        self._values = [] if case == "delete" else [_values(record) for record in given.records]

    async def run(self, case: Case) -> None:
        await asyncio.to_thread(self._delete if case == "delete" else self._store)

    async def empty(self) -> None:
        self._values = []
        if self._engine is not None:
            await asyncio.to_thread(self._models.empty, self._engine)

    async def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()

    def _store(self) -> None:
        models = self._models
        for values in self._values:
            with models.session(self._engine) as session:
                session.add(models.workflow_of(values))
                session.commit()

    def _delete(self) -> None:
        models = self._models
        for workflow_id in self._ids:
            with models.session(self._engine) as session:
                found = models.find(session, workflow_id)
                session.delete(found)
                session.commit()


_Values = Mapping[str, Any]


def _values(record: Encoded) -> _Values:
    """The columns by part, with documents as Python values and times without a zone, as the ORM's tables want them."""
    return {
        "workflow": _plain(record.workflow),
        "metadata": _plain(record.metadata),
        "structure": _plain(record.structure),
        "content": _plain(record.content),
        "transcripts": [_plain(transcript) for transcript in record.transcripts or ()],
    }


def _plain(row: Any) -> dict[str, Any] | None:
    if row is None:
        return None
    return {name: _value(value) for name, value in row._asdict().items()}


def _value(value: Any) -> Any:
    if isinstance(value, Json):
        return value.value
    return value.replace(tzinfo=None) if hasattr(value, "tzinfo") else value
