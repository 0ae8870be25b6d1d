"""Bulk ingest: any source of workflows, in batches, several of them in flight."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias, TypeVar, cast

from workflow_store.database import Session, Sessions, retried
from workflow_store.database.faults import is_record_fault
from workflow_store.errors import (
    AlreadyExists,
    CommandTimeout,
    CommitUnknown,
    IngestError,
    InvalidRecord,
    ServerError,
)
from workflow_store.ingest import quarantine
from workflow_store.ingest.batch import insert_batch, tell, write_batch
from workflow_store.ingest.gathered import Gathered
from workflow_store.ingest.options import IngestOptions
from workflow_store.ingest.recognition import Given, Recognition, Source
from workflow_store.ingest.remarks import late_remarks
from workflow_store.ingest.resolution import resolve
from workflow_store.ingest.turns import Turn
from workflow_store.models.report import IngestReport, Outcome, Rejected
from workflow_store.models.workflow import Workflow
from workflow_store.queries.encoding import encode, encode_unseen
from workflow_store.queries.given import RECOGNISED
from workflow_store.queries.parameters import Encoded
from workflow_store.telemetry.watching import count

Progress: TypeAlias = Callable[[IngestReport], object]

_log = logging.getLogger("workflow_store.ingest")

Result = TypeVar("Result")


class BulkIngest:
    """One run over one source."""

    def __init__(
        self, sessions: Sessions, options: IngestOptions, report: IngestReport, progress: Progress | None
    ) -> None:
        self._sessions = sessions
        self._options = options
        self._report = report
        self._progress = progress
        self._flying: dict[asyncio.Task[Any], Gathered] = {}
        # Documents that did not change need no look into them. Where one bad record ends everything, each is looked
        # into as it comes: what was given after it must not be stored.
        self._may_look_late = options.mode == "upsert" and options.on_error == "quarantine"
        # Whether it pays: what is sent after all is looked into for less as it comes, while it is in the cache.
        self._found_unchanged = True
        self._recognition = Recognition(options, ask=self._ask, busy=self._busy, passed=self._pass)
        self._batch = self._new_batch()
        self._position = 0
        self._told = True
        self._started = time.monotonic()

    async def run(self, source: Source) -> IngestReport:
        """Read the source to its end; batches that are committed stay, whatever comes after them."""
        deadline = asyncio.timeout(self._options.timeout)
        try:
            async with deadline:
                async with aclosing(self._recognition.items(source)) as items:
                    await self._read(items)
                await self._land(0)
        except BaseException as error:
            await self._end(wait=isinstance(error, Exception) and not deadline.expired())
            error.add_note(f"stored before this: {self._report.stored} workflows, rejected {self._report.rejected}")
            if deadline.expired():
                raise CommandTimeout(f"the ingest did not end within {self._options.timeout:g} s") from error
            raise
        finally:
            self._report.seconds = time.monotonic() - self._started
        return self._report

    async def _end(self, *, wait: bool) -> None:
        """What is in flight when source or server fail may finish; a late or cancelled caller does not wait for it."""
        if not wait:
            for task in self._flying:
                task.cancel()
        await asyncio.gather(*self._flying, return_exceptions=True)

    async def _read(self, items: AsyncIterator[Given]) -> None:
        turn = Turn()
        async for item, line_hash in items:
            self._take(self._batch, item, self._position, line_hash)
            self._position += 1
            if turn.is_over:
                await turn.pass_on()
            if self._batch.is_full(self._options):
                await self._launch(self._batch)
                self._batch = self._new_batch()
        if self._batch.records or self._batch.rejected:
            await self._launch(self._batch)
        elif not self._told:
            self._tell_progress()

    async def _ask(self, workflow_ids: Sequence[str], hashes: Sequence[str]) -> asyncio.Task[Collection[str]]:
        if not self._told:
            self._tell_progress()
        # On one of the connections that are for batches.
        await self._land(self._options.connections - 1)
        task = asyncio.create_task(self._recognised(workflow_ids, hashes))
        self._flying[task] = Gathered()
        await asyncio.sleep(0)
        return task

    async def _recognised(self, workflow_ids: Sequence[str], hashes: Sequence[str]) -> Collection[str]:
        touch = self._options.touch
        try:
            return await self._run(lambda session: session.fetch(RECOGNISED, workflow_ids, hashes, touch))
        except CommitUnknown:
            # Whatever was noted: each of them is looked at.
            return ()

    def _busy(self) -> set[str]:
        return set(self._batch.records).union(*(one.records for one in self._flying.values()))

    def _pass(self, items: int, again: int, size: int) -> None:
        """Count what is stored as it is, of which some came ``again``."""
        self._position += items
        self._report.count("unchanged", items - again)
        self._report.repeated += again
        self._report.bytes += size
        self._told = False
        count("workflows", items - again, "unchanged")

    def _new_batch(self) -> Gathered:
        return Gathered(self._may_look_late and self._found_unchanged)

    def _take(self, batch: Gathered, item: object, position: int, line_hash: str | None = None) -> None:
        if isinstance(item, Workflow):
            try:
                look = encode_unseen if batch.looks_late else encode
                record = look(item, self._options.limits, datetime.now(UTC))
                if line_hash is not None and not record.cleaned:
                    record = record._replace(line_hash=line_hash)
            except InvalidRecord as error:
                self._reject(batch, quarantine.rejected_workflow(item, position, str(error)))
            else:
                if self._options.mode == "upsert" or record.workflow_id not in batch.records:
                    batch.add(item, position, record, replaces=self._options.replace)
                else:
                    self._pass_over(batch, item, position)
        elif isinstance(item, Rejected):
            self._reject(batch, replace(item, position=position))
        else:
            reason = f"a Workflow was expected, not {type(item).__name__}"
            raw = repr(item).encode("utf-8", "backslashreplace")
            self._reject(batch, Rejected(source=f"item {position}", reason=reason, raw=raw, position=position))

    def _pass_over(self, batch: Gathered, workflow: Workflow, position: int) -> None:
        """A workflow that is stored already, or was given before, where only new ones are wanted."""
        if self._options.mode == "skip":
            batch.skipped += 1
        else:
            reason = str(AlreadyExists(workflow.workflow_id))
            self._reject(batch, quarantine.rejected_workflow(workflow, position, reason))

    def _reject(self, batch: Gathered, rejected: Rejected) -> None:
        if self._options.on_error == "raise":
            raise IngestError(f"{rejected.source}: {rejected.reason}", self._report, rejected.position)
        batch.rejected.append(rejected)

    async def _launch(self, batch: Gathered) -> None:
        await self._land(self._options.connections - 1)
        # The later of two batches with one id waits for the earlier: the last record given is the one that stays.
        while any(not batch.records.keys().isdisjoint(other.records) for other in self._flying.values()):
            await self._land(len(self._flying) - 1)
        task = asyncio.create_task(self._write(batch))
        self._flying[task] = batch
        # Lets the new task send before the next batch is encoded.
        await asyncio.sleep(0)

    async def _land(self, most: int) -> None:
        """Wait until at most so many batches are in flight; the first failure comes out here."""
        while len(self._flying) > most:
            done, _ = await asyncio.wait(self._flying, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                del self._flying[task]
            # Not one by one: where several fail at once, the others would never be asked for their errors.
            await asyncio.gather(*done)

    async def _write(self, batch: Gathered) -> None:
        report = self._report
        if batch.rejected:
            await self._put_aside(batch.rejected)
        if batch.looks_late and batch.earlier:
            # One that is folded into another is not sent, and what is wrong with it would not be seen.
            batch = await self._looked_into(batch)
        try:
            await self._store(list(batch.records.values()), batch)
        except InvalidRecord:
            # A source that has one of these will have more.
            self._may_look_late = False
            batch = await self._looked_into(batch)
            await self._store(list(batch.records.values()), batch)
        report.repeated += batch.repeated
        report.skipped += batch.skipped
        report.cleaned += batch.cleaned
        report.duplicate_keys += batch.duplicate_keys
        for notice in batch.notices:
            report.notice(notice)
        self._tell_progress()

    def _tell_progress(self) -> None:
        self._told = True
        self._report.seconds = time.monotonic() - self._started
        if self._progress is not None:
            self._progress(self._report)

    async def _looked_into(self, batch: Gathered) -> Gathered:
        """A batch taken again with a look into each document; records that can't be stored are put aside."""
        again = Gathered()
        given = [one for workflow_id in batch.records for one in batch.given(workflow_id)]
        for workflow, position in sorted(given, key=lambda one: one[1]):
            self._take(again, workflow, position)
        if again.rejected:
            await self._put_aside(again.rejected)
        return again

    async def _store(self, records: list[Encoded], batch: Gathered) -> None:
        if not records:
            return
        outcomes: Sequence[Outcome | None]
        try:
            if self._options.mode == "upsert":
                outcomes = await self._upsert(records, looks_late=batch.looks_late)
            else:
                outcomes = await self._insert(records, batch)
        except ServerError as error:
            if not is_record_fault(error):
                raise
            await self._store_around(records, batch, error)
            return
        tell(outcomes)
        counts = Counter(outcomes)
        for outcome, times in counts.items():
            if outcome is not None:
                self._report.count(outcome, times)
        self._found_unchanged = 2 * counts["unchanged"] >= len(records)
        if self._found_unchanged:
            self._recognition.encourage()
        for record, outcome in zip(records, outcomes, strict=True):
            if outcome is not None:
                self._report.bytes += record.size
                if outcome != "unchanged" and (said := late_remarks(record)):
                    batch.remark(record, said)

    async def _run(self, work: Callable[[Session], Awaitable[Result]]) -> Result:
        return await retried(self._sessions, work, patience=self._options.patience)

    async def _put_aside(self, rejected: Sequence[Rejected]) -> None:
        await self._run(lambda session: quarantine.add(session, rejected))
        count("rejected", len(rejected), "ingest")
        for item in rejected:
            self._report.reject(item)

    async def _upsert(self, records: Sequence[Encoded], *, looks_late: bool) -> Sequence[Outcome]:
        replace, touch = self._options.replace, self._options.touch
        unseen = self._options.limits if looks_late else None
        while True:
            try:
                return await self._run(
                    lambda session: write_batch(session, records, replace=replace, touch=touch, unseen=unseen)
                )
            except CommitUnknown as error:
                doubt = error
            found = await self._run(
                partial(resolve, records=records, doubt=doubt, holds=self._sessions.holds, replace=replace)
            )
            if "missing" in found:
                # A batch is stored as a whole or not at all: it was not.
                count("retries", label="doubt")
                _log.warning(
                    "a batch of %d is written again: %s", len(records), doubt, extra={"event": "doubt_missing"}
                )
            elif "unknown" in found:
                raise doubt
            else:
                _log.warning(
                    "a batch of %d is stored, as was found after this: %s",
                    len(records),
                    doubt,
                    extra={"event": "doubt_stored"},
                )
                return [cast("Outcome", doubt.attempted.get(record.workflow_id, "unchanged")) for record in records]

    async def _insert(self, records: list[Encoded], batch: Gathered) -> list[Outcome | None]:
        """Store what is new; None stands for what was passed over."""
        inserted, passed = await self._run(lambda session: self._insert_new(session, records, batch))
        if passed.rejected:
            await self._put_aside(passed.rejected)
        self._report.skipped += passed.skipped
        return ["inserted" if new else None for new in inserted]

    async def _insert_new(
        self, session: Session, records: list[Encoded], batch: Gathered
    ) -> tuple[Sequence[bool], Gathered]:
        async with AsyncExitStack() as stack:
            if self._options.on_error == "raise":
                # The first that is stored already takes its batch back.
                await stack.enter_async_context(session.transaction())
            inserted = await insert_batch(session, records)
            passed = Gathered()
            for record, new in zip(records, inserted, strict=True):
                if not new:
                    self._pass_over(passed, *batch.origins[record.workflow_id])
        return inserted, passed

    async def _store_around(self, records: list[Encoded], batch: Gathered, error: ServerError) -> None:
        """Halve a batch that holds a record only the server could refuse, until that one stands alone."""
        if self._options.on_error == "raise":
            culprit = await self._culprit(records)
            workflow, position = await self._origin(culprit, batch)
            raise IngestError(f"workflow {workflow.workflow_id}: {error}", self._report, position) from error
        if len(records) > 1:
            middle = len(records) // 2
            await self._store(records[:middle], batch)
            await self._store(records[middle:], batch)
            return
        given = batch.given(records[0].workflow_id)
        if len(given) == 1:
            ((workflow, position),) = given
            await self._put_aside([quarantine.rejected_workflow(workflow, position, str(error))])
            return
        # They were folded into one, and not all of them need be bad: each is stored, or put aside, as it was given.
        batch.repeated -= len(given) - 1
        for workflow, position in given:
            alone = Gathered()
            record = encode(workflow, self._options.limits, datetime.now(UTC))
            alone.records[record.workflow_id], alone.origins[record.workflow_id] = record, (workflow, position)
            await self._store([record], alone)

    async def _origin(self, culprit: Encoded, batch: Gathered) -> tuple[Workflow, int]:
        """What was given as a record, and where; of several that were folded into it the first that is refused."""
        *earlier, last = batch.given(culprit.workflow_id)
        for workflow, position in earlier:
            if await self._is_refused([encode(workflow, self._options.limits, datetime.now(UTC))]):
                return workflow, position
        return last

    async def _culprit(self, records: list[Encoded]) -> Encoded:
        """The first record that the server refuses; its neighbours are tried, but not stored."""
        while len(records) > 1:
            half = records[: len(records) // 2]
            records = half if await self._is_refused(half) else records[len(half) :]
        return records[0]

    async def _is_refused(self, records: list[Encoded]) -> bool:
        async def attempt(session: Session) -> None:
            async with session.transaction():
                if self._options.mode == "upsert":
                    await write_batch(session, records, replace=self._options.replace)
                else:
                    await insert_batch(session, records)
                raise _Undo

        try:
            await self._run(attempt)
        except _Undo:
            return False
        except ServerError as error:
            if not is_record_fault(error):
                raise
        return True


class _Undo(Exception):
    """Rolls a trial back."""
