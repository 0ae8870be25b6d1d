"""Queries and COPY targets as typed values: a file of ``sql/`` with the row it returns and the arguments it takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache, cached_property
from typing import Any, Generic, TypeVar, TypeVarTuple, get_args

from workflow_store.resources import statement

Row = TypeVar("Row")
Columns = TypeVar("Columns")
Args = TypeVarTuple("Args")

# Every table is written with its schema.
_WRITES = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM)\s+workflow_store\.")
_PLACEHOLDER = re.compile(r"\$(\d+)")


class Query(Generic[Row, *Args]):
    """One statement.

    ``GET_WORKFLOW = Query[WorkflowRow, str, bool]("workflow/get")`` reads ``sql/workflow/get.sql`` when the module is
    imported, so a misspelt name fails there. ``Row`` is a NamedTuple with the columns by name and in order, the plain
    type of a single column, or ``None`` for a statement that returns nothing; the other arguments are the types of
    ``$1``, ``$2``, ….
    """

    def __init__(self, name: str, text: str | None = None) -> None:
        self.name = name
        self.text: str = statement(name) if text is None else text
        self.writes: bool = _WRITES.search(self.text) is not None
        """Whether it changes rows, so that a lost answer leaves in doubt what is stored."""

    @cached_property
    def row(self) -> Any:
        """The row type given in the brackets."""
        return get_args(getattr(self, "__orig_class__", None))[0]

    @cached_property
    def parameters(self) -> tuple[Any, ...]:
        """The types of ``$1``, ``$2``, … given in the brackets."""
        return get_args(getattr(self, "__orig_class__", None))[1:]

    @cached_property
    def read(self) -> Callable[[Any], Row]:
        """Makes a row of a driver's record."""
        make: Callable[[Any], Row] | None = getattr(self.row, "_make", None)
        return make if make is not None else _first_column

    def __repr__(self) -> str:
        return f"Query({self.name!r})"


class Copy(Generic[Columns]):
    """A table that rows are copied into; ``Columns`` is a NamedTuple whose fields are the columns."""

    def __init__(self, table: str, columns: type[Columns]) -> None:
        self.table = table
        self.columns: tuple[str, ...] = columns._fields  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return f"Copy({self.table!r})"


def join(fragments: Iterable[tuple[str, tuple[Any, ...]]]) -> tuple[str, list[Any]]:
    """One statement out of fragment files, each with its own ``$1``, ``$2``, …, and all arguments in order.

    Args:
        fragments: names of files in ``sql/`` with the values of their parameters.
    """
    texts: list[str] = []
    arguments: list[Any] = []
    for name, values in fragments:
        shift = len(arguments)
        texts.append(_renumbered(_body(name), shift))
        arguments.extend(values)
    return "\n".join(texts), arguments


def _renumbered(text: str, shift: int) -> str:
    return _PLACEHOLDER.sub(lambda found: f"${int(found[1]) + shift}", text)


@cache
def _body(name: str) -> str:
    # The comment names $1, $2, … too; without it the server also parses less.
    lines = statement(name).splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))


def _first_column(record: Any) -> Any:
    return record[0]
