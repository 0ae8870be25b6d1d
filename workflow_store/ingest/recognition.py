"""``Recognition``: what is stored just as it is given is known by its hash, and is neither read nor encoded.

A line is known by its bytes, a model by the hashes of its parts. Some hundred are asked for in one question, and while
its answer is on the way the next ones are gathered.
"""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Sequence,
)
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, TypeAlias

from workflow_store.errors import InvalidRecord
from workflow_store.ingest.gathered import BATCH_BYTES
from workflow_store.ingest.options import IngestOptions
from workflow_store.ingest.turns import Turn
from workflow_store.models.lines import Item, Reading, UnreadLine
from workflow_store.models.report import Rejected
from workflow_store.models.workflow import Workflow
from workflow_store.queries.given import line_hash
from workflow_store.queries.hashing import workflow_hash

Source: TypeAlias = Iterable[Item] | AsyncIterable[Item]
# An item of a source, and the hash of the line that it alone was read from.
Given: TypeAlias = tuple[Item, str | None]
Answer: TypeAlias = asyncio.Future[Collection[str]]
Ask: TypeAlias = Callable[[Sequence[str], Sequence[str]], Awaitable[Answer]]

# So many tell whether it pays to ask for more.
_FIRST: Final = 32


@dataclass(slots=True)
class _Some:
    """Items in their order, and what is asked about them.

    Attributes:
        items: each with its hash, where it can be asked for, and its size in bytes.
        asked: the hashes that are asked for, by id.
        changed: ids of what has been on its way into the store since then.
    """

    items: list[tuple[Any, str | None, int]] = field(default_factory=list[tuple[Any, str | None, int]])
    size: int = 0
    asked: dict[str, str] = field(default_factory=dict[str, str])
    answer: Answer | None = None
    changed: set[str] = field(default_factory=set[str])


class Recognition:
    """A source without what is stored as it is given.

    Args:
        options: of the ingest.
        ask: begins to ask which of some workflows are stored as they were given under these hashes.
        busy: the ids of what is on its way into the store.
        passed: is told of items that are stored as they are, before what comes behind them: how many, how many of them
            came again, and how many bytes they have.
    """

    def __init__(
        self,
        options: IngestOptions,
        *,
        ask: Ask,
        busy: Callable[[], Collection[str]],
        passed: Callable[[int, int, int], object],
    ) -> None:
        self._options = options
        self._ask = ask
        self._busy = busy
        self._passed = passed
        # Where one bad record ends everything, nothing that comes behind it is to be noted.
        self._may_ask = options.mode == "upsert" and options.on_error == "quarantine"
        self._pays = self._may_ask
        self._size = min(_FIRST, options.batch_size)
        self._gathered = _Some()
        self._pending = _Some()

    def encourage(self) -> None:
        """Ask for what comes next: of what was sent, most was stored already."""
        self._pays = self._may_ask

    async def items(self, source: Source) -> AsyncGenerator[Given]:
        """What is in the source and not stored as it is, in the source's order."""
        turn = Turn()
        async for item in _iterate(source):
            if not self._pays:
                if self._waits:
                    for given in await self._rest():
                        yield given
                if isinstance(item, UnreadLine):
                    for given in self._read(item, self._hash(item)[0]):
                        yield given
                else:
                    yield item, None
                continue
            digest, size = self._hash(item)
            self._gathered.items.append((item, digest, size))
            self._gathered.size += size
            if turn.is_over:
                await turn.pass_on()
            if self._is_full:
                asked, self._gathered = self._gathered, _Some()
                await self._begin(asked)
                answered, self._pending = self._pending, asked
                for given in await self._unknown(answered, asked):
                    yield given
            elif (answer := self._pending.answer) is not None and answer.done():
                answered, self._pending = self._pending, _Some()
                for given in await self._unknown(answered, self._gathered):
                    yield given
        for given in await self._rest():
            yield given
        if isinstance(source, Reading):
            for item in source.rest():
                yield item, None

    @property
    def _waits(self) -> bool:
        return bool(self._pending.items or self._gathered.items)

    @property
    def _is_full(self) -> bool:
        return len(self._gathered.items) >= self._size or self._gathered.size >= BATCH_BYTES

    def _hash(self, item: object) -> tuple[str | None, int]:
        if isinstance(item, Workflow):
            try:
                digest, size = workflow_hash(item, self._options.limits, replace=self._options.replace)
            except InvalidRecord:
                return None, 0
            # Remarks are for each report.
            return None if item.notices else digest, size
        if isinstance(item, UnreadLine):
            return line_hash(item.raw, replace=self._options.replace), len(item.raw)
        return None, len(item.raw) if isinstance(item, Rejected) else 0

    async def _begin(self, some: _Some) -> None:
        changing = set(self._busy())
        for item, digest, _ in some.items:
            if digest is not None and some.asked.setdefault(item.workflow_id, digest) != digest:
                changing.add(item.workflow_id)
        for workflow_id in some.asked.keys() & changing:
            del some.asked[workflow_id]
        self._size = self._options.batch_size
        if some.asked:
            some.answer = await self._ask(list(some.asked), list(some.asked.values()))

    async def _rest(self) -> Iterator[Given]:
        """All that waits here."""
        first, second = self._pending, self._gathered
        self._pending, self._gathered = _Some(), _Some()
        unknown = await self._unknown(first, second)
        if self._pays:
            await self._begin(second)
        return chain(unknown, await self._unknown(second, _Some()))

    async def _unknown(self, some: _Some, later: _Some) -> Iterator[Given]:
        """What is not stored as it is."""
        known: set[str] = set()
        if some.answer is not None:
            known.update(await some.answer)
            self._pays = 2 * len(known) >= len(some.asked)
        return self._without(known, some, later)

    def _without(self, known: set[str], some: _Some, later: _Some) -> Iterator[Given]:
        seen: set[str] = set()
        count = again = total = 0
        for item, digest, size in some.items:
            if digest is not None:
                workflow_id: str = item.workflow_id
                if workflow_id in known and workflow_id not in some.changed:
                    count += 1
                    again += workflow_id in seen
                    total += size
                    seen.add(workflow_id)
                    continue
            if count:
                self._passed(count, again, total)
                count = again = total = 0
            for read, own in self._read(item, digest) if isinstance(item, UnreadLine) else ((item, None),):
                if isinstance(read, Workflow):
                    some.changed.add(read.workflow_id)
                    later.changed.add(read.workflow_id)
                yield read, own
        if count:
            self._passed(count, again, total)

    def _read(self, line: UnreadLine, digest: str | None) -> Iterator[Given]:
        items = list(line.read())
        own: str | None = None
        if len(items) == 1:
            (item,) = items
            # Remarks are for each report: what has one is read each time.
            if isinstance(item, Workflow) and item.workflow_id == line.workflow_id and not item.notices:
                own = digest
        for item in items:
            yield item, own


async def _iterate(source: Source) -> AsyncGenerator[Item | UnreadLine]:
    if isinstance(source, Reading):
        for line in source.unread():
            yield line
    elif isinstance(source, AsyncIterable):
        async for item in source:
            yield item
    else:
        for item in source:
            yield item
