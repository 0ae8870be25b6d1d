"""A task that reads and writes, and keeps account of what it was told."""

from __future__ import annotations

import random
import time
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from tests.faults.runner.course import Answer, Course
from tests.faults.runner.model import State, Write, is_same, told, written
from tests.faults.runner.records import record, some_parts, stamps_of
from tests.integration.model import Model
from workflow_store import CommitUnknown, Workflow

_SHARED: Final = [f"shared-{number:02}" for number in range(12)]
_SOME: Final = 8
_FOR_EVER: Final = timedelta(hours=1)
_WEIGHTS: Final[Mapping[str, int]] = {
    "create": 3,
    "upsert": 6,
    "update": 3,
    "delete": 2,
    "put": 6,
    "transaction": 3,
    "ingest": 3,
    "shared_upsert": 3,
    "shared_put": 3,
    "shared_ingest": 2,
    "get": 5,
    "get_many": 2,
    "list": 2,
    "count": 1,
    "enqueue": 1,
    "claim": 2,
}


class Scraper:
    """One task; it has a range of ids of its own, and shares some with all others."""

    def __init__(self, number: int, seed: int, course: Course) -> None:
        self._number = number
        self._course = course
        self._private = course.private
        self._draws = random.Random(f"{seed}/{number}")
        self._made = 0
        self._stamps = number * 1_000_000
        self._mine: list[str] = []

    async def run(self) -> None:
        """Do one thing after another until the run is over."""
        names, weights = list(_WEIGHTS), list(_WEIGHTS.values())
        while not self._course.over.is_set():
            (name,) = self._draws.choices(names, weights)
            await getattr(self, f"_{name}")()
        # Nothing of the driver's needs a pause, and yet another task shall not starve.

    def _stamp(self) -> int:
        self._stamps += 1
        return self._stamps

    def _fresh(self) -> str:
        self._made += 1
        return f"task-{self._number:02}-{self._made:05}"

    def _own(self, *, fresh: bool = True) -> str:
        """An id of its own that is in no doubt; sometimes a new one."""
        if fresh and (len(self._mine) < _SOME or not self._draws.randrange(10)):
            self._mine.append(self._fresh())
            if len(self._mine) > 2 * _SOME:
                self._mine.pop(0)
            return self._mine[-1]
        return self._draws.choice(self._mine) if self._mine else self._fresh()

    def _timeout(self, longest: float = 3.0) -> float:
        return self._draws.choice((0.1, 0.5, 1.0, longest))

    async def _try(self, name: str, call: Any, longest: float = 3.0) -> Answer:
        return await self._course.attempt(name, call, self._draws, self._timeout(longest))

    def _note(self, answer: Answer, writes: Mapping[str, Write], *, whole: bool = False) -> None:
        """Keep account of writes to own ids."""
        for workflow_id in writes:
            self._private.told.setdefault(workflow_id, []).append(answer.told)
        match answer.fate:
            case "done":
                for workflow_id, write in writes.items():
                    self._private.acknowledged(workflow_id, write)
            case "doubt":
                self._private.in_doubt(writes, whole=whole)
                self._leave_alone(writes)
            case _:
                for workflow_id in writes:
                    self._private.refused(workflow_id)

    def _leave_alone(self, ids: Mapping[str, object]) -> None:
        self._mine = [workflow_id for workflow_id in self._mine if workflow_id not in ids]

    def _expect(self, condition: bool, what: str) -> None:
        if not condition:
            self._course.complain(what)

    # --- writes to ids of its own ---

    async def _create(self) -> None:
        workflow_id = self._own()
        before = self._private.state(workflow_id)
        workflow = record(workflow_id, self._stamp(), self._draws, some_parts(self._draws))
        answer = await self._try("create", lambda timeout: self._store.create_workflow(workflow, timeout=timeout))
        if answer.fate == "denied":
            self._expect(before is not None, f"{workflow_id} was not there, and yet: {answer.error}")
            return
        if answer.fate == "done":
            self._expect(before is None, f"{workflow_id} was created although it was there")
        if before is None:
            self._note(answer, {workflow_id: lambda model: model.put(workflow)})
        await self._resolve(answer, workflow, replace=False)

    async def _upsert(self) -> None:
        workflow_id, replacing = self._own(), self._draws.random() < 0.3
        workflow = record(workflow_id, self._stamp(), self._draws, some_parts(self._draws))
        call = lambda timeout: self._store.upsert_workflow(workflow, replace=replacing, timeout=timeout)  # noqa: E731
        answer = await self._try("upsert", call)
        self._expect_outcome(answer, workflow, replace=replacing)
        self._note(answer, {workflow_id: lambda model: model.put(workflow, replace=replacing)})
        await self._resolve(answer, workflow, replace=replacing)

    async def _put(self) -> None:
        workflow_id = self._own()
        workflow = record(workflow_id, self._stamp(), self._draws, some_parts(self._draws))
        answer = await self._try("put", lambda timeout: self._course.writer.put(workflow, timeout=timeout))
        self._expect_outcome(answer, workflow, replace=False)
        self._note(answer, {workflow_id: lambda model: model.put(workflow)})
        await self._resolve(answer, workflow, replace=False)

    def _expect_outcome(self, answer: Answer, workflow: Workflow, *, replace: bool) -> None:
        if answer.fate == "done":
            before = self._private.state(workflow.workflow_id)
            outcomes: list[str] = []
            written(before, workflow.workflow_id, lambda model: outcomes.append(model.put(workflow, replace=replace)))
            self._expect(
                [answer.value] == outcomes, f"{workflow.workflow_id}: {answer.value} was answered, not {outcomes}"
            )

    async def _resolve(self, answer: Answer, workflow: Workflow, *, replace: bool) -> None:
        """Ask what came of a write in doubt, and hold the store to what it says."""
        doubt, workflow_id = answer.error, workflow.workflow_id
        if not isinstance(doubt, CommitUnknown) or workflow_id not in self._private.doubtful:
            return
        call = lambda timeout: self._store.resolve(workflow, doubt, replace=replace, timeout=timeout)  # noqa: E731
        found = await self._try("resolve", call)
        if found.fate == "done":
            self._course.operations[f"resolved: {found.value}"] += 1
            self._private.told[workflow_id].append(f"resolved: {found.value}")
            if found.value != "unknown":
                self._private.settle(workflow_id, stored=found.value == "stored")

    async def _update(self) -> None:
        workflow_id, stamp = self._own(fresh=False), self._stamp()
        before = self._private.state(workflow_id)
        given = record(workflow_id, stamp, self._draws)
        assert given.metadata is not None
        values = {"url": given.url, "quality_score": given.quality_score, "extracted_at": given.extracted_at}
        parts = {"metadata": {"title": given.metadata.title, "views": stamp, "tags": given.metadata.tags}}
        answer = await self._try(
            "update",
            lambda timeout: self._store.update_workflow(workflow_id, timeout=timeout, **parts, **values),
        )
        write: Write = lambda model: model.change(workflow_id, values, parts) if workflow_id in model else None  # noqa: E731
        if answer.fate == "done":
            after = written(before, workflow_id, write)
            self._expect(is_same(answer.value, after), f"{workflow_id} is {told(after)}, not {told(answer.value)}")
        self._note(answer, {workflow_id: write})

    async def _delete(self) -> None:
        workflow_id = self._own(fresh=False)
        before = self._private.state(workflow_id)
        answer = await self._try("delete", lambda timeout: self._store.delete_workflow(workflow_id, timeout=timeout))
        if answer.fate == "done":
            self._expect(answer.value == (before is not None), f"{workflow_id} was {told(before)} when deleted")
        self._note(answer, {workflow_id: lambda model: model.delete(workflow_id)})

    async def _transaction(self) -> None:
        """Several writes that are there together or not at all."""
        ids = {self._own() for _ in range(3)}
        workflows = [record(workflow_id, self._stamp(), self._draws) for workflow_id in sorted(ids)]
        giving_up = not self._draws.randrange(5)

        async def write(timeout: float) -> None:
            async with self._store.transaction(timeout=timeout) as transaction:
                for workflow in workflows:
                    await transaction.upsert_workflow(workflow)
                if giving_up:
                    raise _GaveUp

        async def write_or_give_up(timeout: float) -> bool:
            try:
                await write(timeout)
            except _GaveUp:
                return False
            return True

        answer = await self._try("transaction", write_or_give_up)
        if answer.value is not False:
            self._note(answer, {one.workflow_id: _putting(one) for one in workflows}, whole=True)

    async def _ingest(self) -> None:
        ids = {self._own() for _ in range(self._draws.randrange(1, 6))} | {self._fresh() for _ in range(10)}
        workflows = [record(workflow_id, self._stamp(), self._draws, some_parts(self._draws)) for workflow_id in ids]
        size = self._draws.choice((3, 50))
        call = lambda timeout: self._store.ingest(workflows, batch_size=size, timeout=timeout)  # noqa: E731
        answer = await self._try("ingest", call, 6.0)
        if answer.fate == "done":
            self._expect(answer.value.stored == len(ids), f"{answer.value.stored} of {len(ids)} were counted")
        elif answer.fate == "refused":
            # Batches that were committed before stay.
            answer = replace(answer, fate="doubt")
        self._note(answer, {one.workflow_id: _putting(one) for one in workflows})

    # --- writes to ids that are everybody's ---

    async def _shared_upsert(self) -> None:
        workflow, replacing = self._for_all(), self._draws.random() < 0.5
        call = lambda timeout: self._store.upsert_workflow(workflow, replace=replacing, timeout=timeout)  # noqa: E731
        await self._try_shared("shared upsert", [workflow], call)

    async def _shared_put(self) -> None:
        workflow = self._for_all()
        call = lambda timeout: self._course.writer.put(workflow, timeout=timeout)  # noqa: E731
        await self._try_shared("shared put", [workflow], call)

    async def _shared_ingest(self) -> None:
        some = self._draws.sample(_SHARED, self._draws.randrange(1, 6))
        workflows = [record(workflow_id, self._stamp(), self._draws) for workflow_id in some]
        call = lambda timeout: self._store.ingest(workflows, batch_size=3, timeout=timeout)  # noqa: E731
        await self._try_shared("shared ingest", workflows, call, parts_may_stay=True)

    def _for_all(self) -> Workflow:
        return record(self._draws.choice(_SHARED), self._stamp(), self._draws)

    async def _try_shared(
        self, name: str, workflows: list[Workflow], call: Any, *, parts_may_stay: bool = False
    ) -> None:
        stamps = [(one.workflow_id, min(stamps_of(one))) for one in workflows]
        for workflow_id, stamp in stamps:
            self._course.shared.begins(workflow_id, stamp, time.monotonic())
        answer = await self._try(name, call)
        for workflow_id, stamp in stamps:
            if answer.fate == "done":
                self._course.shared.acknowledged(workflow_id, stamp, time.monotonic())
            elif answer.fate == "refused" and not parts_may_stay:
                self._course.shared.refused(workflow_id, stamp)

    # --- reads ---

    async def _get(self) -> None:
        workflow_id = self._draws.choice([self._own(fresh=False), self._draws.choice(_SHARED)])
        answer = await self._try("get", lambda timeout: self._store.get_workflow(workflow_id, timeout=timeout))
        if answer.fate == "done":
            self._check({workflow_id: answer.value})

    async def _get_many(self) -> None:
        ids = [*self._mine, *_SHARED]
        answer = await self._try("get many", lambda timeout: self._store.get_workflows(ids, timeout=timeout))
        if answer.fate == "done":
            self._check({workflow_id: answer.value.get(workflow_id) for workflow_id in ids})

    def _check(self, found: Mapping[str, State]) -> None:
        for workflow_id, state in found.items():
            book = self._course.shared if workflow_id in _SHARED else self._private
            wrong = book.wrong(workflow_id, state)
            if wrong is not None:
                self._course.complain(f"read: {wrong}")

    async def _list(self) -> None:
        order, limit = self._draws.choice(("extracted_at", "views", "quality_score", "title")), 50
        call = lambda timeout: self._store.list_workflows(order_by=order, limit=limit, timeout=timeout)  # noqa: E731
        answer = await self._try("list", call)
        if answer.fate == "done":
            ids = [workflow.workflow_id for workflow in answer.value.items]
            self._expect(len(set(ids)) == len(ids) <= limit, f"a page of {limit} has {len(ids)}: {ids}")
            for workflow in answer.value.items:
                if workflow.workflow_id in _SHARED:
                    self._check({workflow.workflow_id: workflow})

    async def _count(self) -> None:
        answer = await self._try("count", lambda timeout: self._store.count_workflows(timeout=timeout))
        if answer.fate == "done":
            self._expect(answer.value >= 0, f"{answer.value} were counted")

    # --- the queue ---

    async def _enqueue(self) -> None:
        ids = [f"queue-{self._number:02}-{self._stamp()}" for _ in range(5)]
        pairs = [(workflow_id, "https://n8n.io/queue") for workflow_id in ids]
        answer = await self._try("enqueue", lambda timeout: self._store.enqueue(pairs, timeout=timeout))
        if answer.fate in ("done", "doubt"):
            self._course.leases.enqueued |= dict.fromkeys(ids, answer.fate == "done")

    async def _claim(self) -> None:
        leases = self._course.leases
        answer = await self._try("claim", lambda timeout: self._store.claim(2, _FOR_EVER, timeout=timeout))
        for claim in answer.value or () if answer.fate == "done" else ():
            self._expect(claim.workflow_id not in leases.tokens, f"{claim.workflow_id} was leased twice")
            leases.tokens[claim.workflow_id] = claim.token
            if self._draws.random() < 0.8:
                await self._complete(claim.workflow_id, claim.token)

    async def _complete(self, workflow_id: str, token: str) -> None:
        workflow = record(workflow_id, self._stamp(), self._draws)
        way = self._draws.choice((self._store.upsert_workflow, self._course.writer.put))

        def call(timeout: float) -> Coroutine[Any, Any, Any]:
            return way(workflow, token=token, timeout=timeout)

        answer = await self._try("complete", call)
        self._expect(answer.fate != "denied", f"{workflow_id} is leased, and yet: {answer.error}")
        if answer.fate in ("done", "doubt"):
            self._course.leases.ended[workflow_id] = answer.fate == "done"
        self._note(answer, {workflow_id: lambda model: model.put(workflow)})

    @property
    def _store(self) -> Any:
        return self._course.store


class _GaveUp(Exception):
    """Takes a transaction back."""


def _putting(workflow: Workflow) -> Write:
    def write(model: Model) -> object:
        return model.put(workflow)

    return write
