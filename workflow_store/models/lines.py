"""Lines on their way to being workflows: who knows one by its bytes need not read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from workflow_store.models.report import Rejected
from workflow_store.models.workflow import Workflow

Item: TypeAlias = Workflow | Rejected


@dataclass(frozen=True, slots=True)
class UnreadLine:
    """A line that says at its start which workflow it is.

    Attributes:
        workflow_id: as it stands there.
        raw: the line.
        read: what is in it; nearly always one workflow, that of ``workflow_id``.
    """

    workflow_id: str
    raw: bytes
    read: Callable[[], Iterable[Item]]


class Reading(Iterator[Item]):
    """What is read from files, one after the other; or, by ``unread`` and then ``rest``, with lines left as they are.

    Args:
        items: all of it, with lines that were not read yet.
        rest: what comes after it, once every line of it was read.
    """

    def __init__(self, items: Iterator[Item | UnreadLine], rest: Callable[[], Iterator[Item]]) -> None:
        self._given = items
        self._line: Iterator[Item] = iter(())
        self._items = chain(self._read(), self._last())
        self.rest = rest

    def __next__(self) -> Item:
        return next(self._items)

    def unread(self) -> Iterator[Item | UnreadLine]:
        """What was not taken from it yet, but for the rest."""
        return chain(self._line, self._given)

    def _read(self) -> Iterator[Item]:
        for item in self._given:
            if isinstance(item, UnreadLine):
                self._line = iter(item.read())
                yield from self._line
            else:
                yield item

    def _last(self) -> Iterator[Item]:
        yield from self.rest()
