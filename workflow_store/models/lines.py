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
    """What is read from files, one after the other.

    Args:
        unread: all of it, with lines that were not read yet.
        rest: what comes after it, once every line of it was read.
    """

    def __init__(self, unread: Iterator[Item | UnreadLine], rest: Callable[[], Iterator[Item]]) -> None:
        self.unread = unread
        self.rest = rest
        self._items = chain(self._read(), self._rest())

    def __next__(self) -> Item:
        return next(self._items)

    def _read(self) -> Iterator[Item]:
        for item in self.unread:
            if isinstance(item, UnreadLine):
                yield from item.read()
            else:
                yield item

    def _rest(self) -> Iterator[Item]:
        yield from self.rest()
