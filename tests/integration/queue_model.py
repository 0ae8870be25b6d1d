"""The queue of what to scrape, in memory, and the calls on it and on a writer that a sequence may hold."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import pytest

from workflow_store import InvalidRecord, LeaseLost, Rejected, Workflow, WorkflowStore

if TYPE_CHECKING:
    from tests.integration.model import Model

PAST: Final = datetime(2020, 1, 1, tzinfo=UTC)
FUTURE: Final = datetime(2200, 1, 1, tzinfo=UTC)
LARGEST: Final = 2**63 - 1
SOON, LATER = 1e-6, 3_600.0


@dataclass
class Entry:
    """What the queue knows of a workflow; its retries count only while it is not stored.

    Attributes:
        due: True now, False later, None not at all.
    """

    url: str | None
    due: bool | None = None
    retries: int = 0
    token: str | None = None
    seen: bool = False


class Queue(dict[str, Entry]):
    """Entries by id."""

    def see(self, workflow_id: str, url: str) -> None:
        entry = self.setdefault(workflow_id, Entry(url))
        entry.url, entry.seen = url, True

    def due(self) -> set[str]:
        return {workflow_id for workflow_id, entry in self.items() if entry.due and entry.token is None}


def retries_of(model: Model, workflow_id: str) -> int:
    return model[workflow_id].retry_count or 0 if workflow_id in model else model.queue[workflow_id].retries


async def assert_same_queue(store: WorkflowStore, model: Model) -> None:
    pending = await store.pending()
    assert {entry.workflow_id for entry in pending} == model.queue.due()
    for entry in pending:
        assert entry.url == model.queue[entry.workflow_id].url
        assert entry.retry_count == retries_of(model, entry.workflow_id)


@dataclass(frozen=True)
class Enqueue:
    workflow_ids: list[str]
    url: str
    due_at: datetime | None

    async def run(self, store: WorkflowStore, model: Model) -> None:
        added = await store.enqueue([(workflow_id, self.url) for workflow_id in self.workflow_ids], self.due_at)

        new = 0
        due = self.due_at is None or self.due_at == PAST
        for workflow_id in set(self.workflow_ids):
            entry = model.queue.get(workflow_id)
            if entry is None:
                model.queue[workflow_id] = Entry(self.url, due)
                new += 1
            elif entry.due is None and (self.due_at is not None or not entry.seen):
                entry.url, entry.due = self.url, due
                new += 1
            elif entry.due is False and self.due_at is not None and due:
                entry.due = True
        assert added == new


@dataclass(frozen=True)
class Claim:
    limit: int

    async def run(self, store: WorkflowStore, model: Model) -> None:
        claims = await store.claim(self.limit, 3_600)

        due = model.queue.due()
        claimed = {claim.workflow_id for claim in claims}
        assert len(claims) == len(claimed) == min(self.limit, len(due))
        assert claimed <= due
        for claim in claims:
            entry = model.queue[claim.workflow_id]
            assert (claim.url, claim.retry_count) == (entry.url, retries_of(model, claim.workflow_id))
            entry.token = claim.token


@dataclass(frozen=True)
class Fail:
    """A failed scrape, under the lease's token, under no token, or under one that is not the lease's."""

    workflow_id: str
    error: str
    under: str
    retry_after: float | None

    async def run(self, store: WorkflowStore, model: Model) -> None:
        entry = model.queue.get(self.workflow_id)
        held = entry.token if entry is not None else None
        token = {"lease": held, "nothing": None, "another": str(uuid4())}[self.under]
        if self.under == "another":
            with pytest.raises(LeaseLost):
                await store.mark_failed(self.workflow_id, self.error, token=token)
            return

        pending = await store.mark_failed(self.workflow_id, self.error, token=token, retry_after=self.retry_after)

        entry = model.queue.setdefault(self.workflow_id, Entry(None))
        retries = min(retries_of(model, self.workflow_id), LARGEST - 1) + 1
        entry.retries, entry.due = retries, self.retry_after == SOON
        if token is not None:
            entry.token = None
        if self.workflow_id in model:
            model[self.workflow_id] = model[self.workflow_id].model_copy(
                update={"retry_count": retries, "error_message": self.error}
            )
        assert (pending.workflow_id, pending.url, pending.retry_count) == (self.workflow_id, entry.url, retries)


@dataclass(frozen=True)
class Complete:
    workflow_id: str
    next_due_at: datetime | None

    async def run(self, store: WorkflowStore, model: Model) -> None:
        entry = model.queue.get(self.workflow_id)
        if entry is None or entry.token is None:
            with pytest.raises(LeaseLost):
                await store.complete(self.workflow_id, str(uuid4()))
            return

        await store.complete(self.workflow_id, entry.token, self.next_due_at)

        entry.token, entry.retries = None, 0
        entry.due = None if self.next_due_at is None else self.next_due_at == PAST
        if self.workflow_id in model:
            model[self.workflow_id] = model[self.workflow_id].model_copy(update={"retry_count": 0})


@dataclass(frozen=True)
class Puts:
    """Records of several tasks, put into one writer at the same time; those of one id stay in their order."""

    items: list[Workflow | Rejected]
    replace: bool
    touch: bool
    bad: tuple[Workflow | Rejected, ...]

    async def run(self, store: WorkflowStore, model: Model) -> None:
        given = [item for item in self.items if isinstance(item, Workflow)]

        async with store.writer(replace=self.replace, touch=self.touch) as writer:
            answers = await asyncio.gather(*map(writer.put, given), return_exceptions=True)

        for workflow, answer in zip(given, answers, strict=True):
            if any(workflow is bad for bad in self.bad):
                assert isinstance(answer, InvalidRecord)
            else:
                assert answer == model.put(workflow, replace=self.replace, touch=self.touch)
