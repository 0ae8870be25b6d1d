"""Group commit: many tasks await one record each, and what waits at the same moment is committed together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Final, Self

from workflow_store.database import Session, Sessions, operation, repeated, retried
from workflow_store.database.faults import cancelled_in_doubt, is_record_fault
from workflow_store.errors import CommitUnknown, InvalidRecord, LeaseLost, ServerError, StoreClosed, Work
from workflow_store.ingest.batch import tell, write_batch, write_one
from workflow_store.models.report import Outcome
from workflow_store.models.workflow import Workflow, in_utc
from workflow_store.queries.encoding import encode_one
from workflow_store.queries.parameters import Encoded, Limits
from workflow_store.queries.scrapes import COMPLETE_SCRAPE

_ANSWERED_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class WriterOptions:
    """See ``WorkflowStore.writer``."""

    limits: Limits
    batch_size: int
    connections: int
    max_delay: float = 0.0
    max_waiting: int = 1_000
    replace: bool = False
    touch: bool = True
    patience: float = 0.0


@dataclass(slots=True, eq=False)
class _Put:
    record: Encoded
    answer: asyncio.Future[Outcome]
    token: str | None
    next_due_at: datetime | None
    sent: bool = False
    pid: int | None = None
    work: Work = field(default_factory=Work)


class _LeasesLost(Exception):
    """Takes a group back of which some leases are another scraper's by now."""

    def __init__(self, workflow_ids: set[str]) -> None:
        self.workflow_ids = workflow_ids


class Writer:
    """Stores records one by one for many tasks, in groups.

    A group is what arrived while the last one was being written; nobody waits for a timer unless ``max_delay`` says so.
    Two records of one id are never in the same group, nor in two at once: they are written in the order of their puts.
    """

    def __init__(self, sessions: Sessions, options: WriterOptions, changed: Callable[[], object]) -> None:
        self._sessions = sessions
        self._changed = changed
        self._options = options
        self._waiting: deque[_Put] = deque()
        self._flying: set[str] = set()
        self._room = asyncio.Semaphore(options.max_waiting)
        self._arrived = asyncio.Condition()
        self._workers: list[asyncio.Task[None]] = []
        self._idle = 0
        self._puts = 0
        self._alone = asyncio.Lock()
        self._expects_new = True
        self._open = False
        self.groups: int = 0
        """How many groups were committed so far."""

    async def __aenter__(self) -> Self:
        self._open = True
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._options.connections)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    @operation
    async def put(
        self,
        workflow: Workflow,
        *,
        token: str | None = None,
        next_due_at: datetime | None = None,
        timeout: float | None = None,
    ) -> Outcome:
        """Store a workflow; returns when it is durable.

        Cancelled before it is sent, it is not stored, and will not be; cancelled while its group is being written, it
        may be. A group that has to be sent again is sent without it.

        Args:
            token: that of the claim this scrape was made under; its lease ends in the same transaction.
            next_due_at: with a token, when to scrape the workflow again; None takes it out of the queue.
            timeout: seconds to wait for the answer.

        Returns:
            ``"inserted"``, ``"updated"`` or ``"unchanged"``.

        Raises:
            InvalidRecord: it can't be stored; only its own caller is told.
            LeaseLost: another scraper has claimed it since; it is not stored, and only its own caller is told.
            CommitUnknown: its group may be stored or not; each caller of the group is told.
            ServerError: its group is not stored.
            StoreClosed: the writer is closed.
        """
        record = encode_one(workflow, self._options.limits)
        due_at = None if next_due_at is None else in_utc(next_due_at)
        async with self._room:
            if not self._open:
                raise StoreClosed("the writer is closed")
            put = _Put(record, asyncio.get_running_loop().create_future(), token, due_at)
            self._puts += 1
            try:
                if self._puts == 1 and not self._flying and not self._options.max_delay:
                    await self._write_alone(put)
                else:
                    await self._wait(put)
                return put.answer.result()
            finally:
                self._puts -= 1

    async def _write_alone(self, put: _Put) -> None:
        """Write what nobody else's put can join, without the way through a worker."""
        async with self._alone:
            self._flying.add(put.record.workflow_id)
            try:
                await self._write([put])
                self.groups += 1
            finally:
                self._flying.discard(put.record.workflow_id)
                if self._waiting:
                    async with self._arrived:
                        self._arrived.notify_all()

    async def _wait(self, put: _Put) -> None:
        self._waiting.append(put)
        try:
            async with self._arrived:
                self._arrived.notify()
            await put.answer
        except asyncio.CancelledError:
            if put in self._waiting:
                self._waiting.remove(put)
            elif put.sent:
                # Its group goes on.
                raise cancelled_in_doubt(put.pid, put.work) from None
            # Its group was not sent yet, or is to be sent again, and goes on without it.
            raise

    async def close(self) -> None:
        """Write what waits, then end. May be called again."""
        self._open = False
        async with self._arrived:
            self._arrived.notify_all()
        try:
            await asyncio.gather(*self._workers)
            async with self._alone:
                return
        except asyncio.CancelledError:
            for worker in self._workers:
                worker.cancel()
            await asyncio.gather(*self._workers, return_exceptions=True)
            for put in self._waiting:
                put.answer.cancel()
            raise

    async def _work(self) -> None:
        while True:
            self._idle += 1
            try:
                async with self._arrived:
                    await self._arrived.wait_for(lambda: self._ready() or (not self._open and not self._waiting))
                    if not self._waiting:
                        return
                # No delay, but a turn for every task that is about to put: those answered a moment ago put their next.
                await asyncio.sleep(self._options.max_delay if len(self._waiting) < self._options.batch_size else 0)
                group = self._take()
            finally:
                self._idle -= 1
            if not group:
                continue
            ids = {put.record.workflow_id for put in group}
            self._flying |= ids
            try:
                await self._write(group)
                self.groups += 1
            finally:
                self._flying -= ids
                for put in group:
                    put.work.ended = True
                    # Only a worker that was ended leaves an answer open.
                    put.answer.cancel()
                async with self._arrived:
                    self._arrived.notify_all()

    def _free(self) -> int:
        """How many connections have nothing to write; one alone uses one of them."""
        return self._idle - self._alone.locked()

    def _ready(self) -> bool:
        return self._free() > 0 and any(put.record.workflow_id not in self._flying for put in self._waiting)

    def _take(self) -> list[_Put]:
        group: list[_Put] = []
        # A connection's share of all that is put, of which some is being written. Were it all that waits, one
        # connection would have most in each group and the others next to none: those that are answered together put
        # their next together.
        share = -(-self._puts // self._options.connections)
        size = min(self._options.batch_size, share)
        left: deque[_Put] = deque()
        taken: set[str] = set()
        while self._waiting:
            put = self._waiting.popleft()
            workflow_id = put.record.workflow_id
            if len(group) == size or workflow_id in taken or workflow_id in self._flying:
                left.append(put)
            else:
                group.append(put)
            # A later record of this id stays behind this one, wherever this one is.
            taken.add(workflow_id)
        self._waiting = left
        return group

    async def _write(self, group: Sequence[_Put]) -> None:
        try:
            sent, outcomes = await retried(
                self._sessions, lambda session: self._send(session, group), patience=self._options.patience
            )
        except _LeasesLost as error:
            for put in group:
                if put.record.workflow_id in error.workflow_ids:
                    _answer_all([put], LeaseLost(put.record.workflow_id))
            rest = [put for put in group if put.record.workflow_id not in error.workflow_ids]
            if rest:
                await self._write(rest)
            return
        except ServerError as error:
            if not is_record_fault(error):
                _answer_all(group, error)
            elif len(group) == 1:
                _answer_all(group, InvalidRecord("workflow", str(error)))
            else:
                middle = len(group) // 2
                await self._write(group[:middle])
                await self._write(group[middle:])
            return
        except Exception as error:
            _answer_all(group, error)
            return
        tell(outcomes)
        if any(outcome != "unchanged" for outcome in outcomes):
            self._changed()
        for number, (put, outcome) in enumerate(zip(sent, outcomes, strict=True), 1):
            if not put.answer.done():
                put.answer.set_result(outcome)
            if number % _ANSWERED_AT_ONCE == 0:
                # Each of them encodes its next now; what the server answers to another group would wait for all.
                await asyncio.sleep(0)

    async def _send(self, session: Session, group: Sequence[_Put]) -> tuple[Sequence[_Put], Sequence[Outcome]]:
        """Write those of a group whose callers still wait."""
        wanted = [put for put in group if not put.answer.done()]
        if not wanted:
            return (), ()
        pid = session.pid
        for put in wanted:
            put.sent, put.pid = True, pid
        try:
            return wanted, await self._write_group(session, wanted)
        except CommitUnknown:
            raise
        except ServerError:
            for put in wanted:
                put.sent = False
            raise

    async def _write_group(self, session: Session, group: Sequence[_Put]) -> Sequence[Outcome]:
        if any(put.token is not None for put in group):
            return await repeated(session, lambda: self._written_under_leases(session, group))
        return await self._written(session, [put.record for put in group])

    async def _written_under_leases(self, session: Session, group: Sequence[_Put]) -> Sequence[Outcome]:
        """Write a group and end its leases, in one transaction."""
        leases = [
            (put.record.workflow_id, put.token, put.next_due_at, put.record.retry_count)
            for put in group
            if put.token is not None
        ]
        async with session.transaction():
            outcomes = await self._written(session, [put.record for put in group])
            ended = set(await session.fetch_many(COMPLETE_SCRAPE, leases))
            lost = {workflow_id for workflow_id, *_ in leases} - ended
            if lost:
                raise _LeasesLost(lost)
        return outcomes

    async def _written(self, session: Session, records: Sequence[Encoded]) -> Sequence[Outcome]:
        replace, touch = self._options.replace, self._options.touch
        if len(records) > 1:
            return await write_batch(session, records, replace=replace, touch=touch)
        outcome = await write_one(session, records[0], replace=replace, touch=touch, expects_new=self._expects_new)
        self._expects_new = outcome == "inserted"
        return (outcome,)


def _answer_all(group: Sequence[_Put], error: Exception) -> None:
    for put in group:
        if not put.answer.done():
            put.answer.set_exception(error)
