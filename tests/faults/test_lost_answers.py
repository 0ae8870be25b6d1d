"""The answer to a write is lost on its way: it is said so, nothing is repeated blindly, and it can be told what became
of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.faults.proxy import Proxy, Side, Then
from tests.records import full_workflow, small_workflow
from workflow_store import CommitUnknown, IngestReport, Settings, Workflow, WorkflowStore
from workflow_store.errors import ServerUnavailable


@pytest.fixture
async def proxy(store: WorkflowStore) -> AsyncIterator[Proxy]:
    assert store.settings.dsn is not None
    async with Proxy.before(store.settings.dsn.get_secret_value()) as proxy:
        yield proxy


def opened(dsn: str, **more: Any) -> WorkflowStore:
    return WorkflowStore.open(
        Settings.load(dsn=dsn, **{"pool_min_size": 0, "pool_max_size": 3, "search_refresh": "manual", **more})
    )


def is_upsert(text: str) -> bool:
    return "INSERT INTO workflow_store.workflows" in text


@pytest.mark.parametrize("then", ["reset", "close"])
async def test_a_stored_upsert_whose_answer_is_lost_is_found_stored(
    proxy: Proxy, store: WorkflowStore, then: Then
) -> None:
    workflow = full_workflow("1")
    async with opened(proxy.dsn) as far:
        trap = proxy.trap(is_upsert, then=then)
        with pytest.raises(CommitUnknown) as caught:
            await far.upsert_workflow(workflow)

        assert trap.seen == 1, "it was sent again"
        assert await far.resolve(workflow, caught.value) == "stored"
    assert await store.get_workflow("1") is not None


async def test_an_upsert_that_never_arrived_is_missing_and_may_be_repeated(proxy: Proxy, store: WorkflowStore) -> None:
    workflow = full_workflow("1")
    async with opened(proxy.dsn) as far:
        proxy.trap(is_upsert, then="reset", side="request")
        with pytest.raises(CommitUnknown) as caught:
            await far.upsert_workflow(workflow)

        assert await store.get_workflow("1") is None
        assert await far.resolve(workflow, caught.value) == "missing"
        assert await far.upsert_workflow(workflow) == "inserted"


async def test_a_writer_who_came_later_makes_it_unknown(proxy: Proxy, store: WorkflowStore) -> None:
    async with opened(proxy.dsn) as far:
        proxy.trap(is_upsert, then="reset")
        with pytest.raises(CommitUnknown) as caught:
            await far.upsert_workflow(full_workflow("1", quality_score=1.0))
        await store.upsert_workflow(full_workflow("1", quality_score=2.0))

        assert await far.resolve(full_workflow("1", quality_score=1.0), caught.value) == "unknown"


async def test_while_it_may_still_be_on_its_way_nobody_says_missing(proxy: Proxy, store: WorkflowStore) -> None:
    workflow = small_workflow("1")
    async with opened(proxy.dsn) as far:
        proxy.trap(is_upsert, then="freeze", side="request")
        with pytest.raises(CommitUnknown) as caught:
            await far.upsert_workflow(workflow, timeout=0.5)

        assert await store.get_workflow("1") is None
        assert await store.resolve(workflow, caught.value) == "unknown"
        proxy.reset()
        async with asyncio.timeout(10):
            while (answer := await store.resolve(workflow, caught.value)) == "unknown":  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    assert answer == ("missing" if await store.get_workflow("1") is None else "stored")


@pytest.mark.parametrize("then", ["reset", "swallow"])
async def test_a_transaction_whose_commit_is_not_answered_is_in_doubt_and_stored_whole(
    proxy: Proxy, store: WorkflowStore, then: Then
) -> None:
    async with opened(proxy.dsn) as far:
        proxy.trap("COMMIT", then=then)
        with pytest.raises(CommitUnknown):
            async with far.transaction(timeout=2) as tx:
                await tx.create_workflow(small_workflow("1"))
                await tx.create_workflow(small_workflow("2"))

    assert await store.exists(["1", "2"]) == {"1", "2"}


async def test_a_transaction_that_loses_its_connection_before_commit_is_gone_whole(
    proxy: Proxy, store: WorkflowStore
) -> None:
    async with opened(proxy.dsn) as far:
        with pytest.raises(ServerUnavailable):
            async with far.transaction() as tx:
                await tx.create_workflow(small_workflow("1"))
                proxy.reset()
                await tx.create_workflow(small_workflow("2"))

    assert await store.exists(["1", "2"]) == set()


async def _puts(far: WorkflowStore, workflows: list[Workflow]) -> list[Any]:
    async with far.writer(connections=1, max_delay=0.05) as writer:
        return await asyncio.gather(*(writer.put(workflow) for workflow in workflows), return_exceptions=True)


async def test_a_group_whose_commit_is_not_answered_is_in_doubt_for_each_of_its_callers(
    proxy: Proxy, store: WorkflowStore
) -> None:
    workflows = [full_workflow(str(number)) for number in range(5)]
    async with opened(proxy.dsn) as far:
        trap = proxy.trap("COMMIT", then="reset")
        answers = await _puts(far, workflows)

        assert trap.snapped == 1
        assert [type(answer) for answer in answers] == [CommitUnknown] * 5
        found = [await far.resolve(*pair) for pair in zip(workflows, answers, strict=True)]
    assert found == ["stored"] * 5
    assert await store.count_workflows() == 5


@pytest.mark.parametrize("side", ["answer", "request"])
async def test_an_ingest_finds_out_itself_what_became_of_a_batch(
    proxy: Proxy, store: WorkflowStore, side: Side
) -> None:
    workflows = [full_workflow(str(number)) for number in range(9)]
    async with opened(proxy.dsn) as far:
        trap = proxy.trap("COMMIT", then="reset", side=side)
        report = await far.ingest(workflows, batch_size=3, connections=1)

    assert trap.snapped == 1
    assert (report.inserted, report.updated, report.unchanged) == (9, 0, 0)
    assert await store.count_workflows() == 9


async def test_backends_killed_at_any_moment_of_an_ingest_leave_each_batch_whole(
    proxy: Proxy, store: WorkflowStore
) -> None:
    size, kills = 5, 200
    finished = 0
    async with opened(proxy.dsn, retry_timeout=20.0) as far:
        for turn in range(kills):
            workflows = [small_workflow(f"{turn:03d}-{number:02d}") for number in range(4 * size)]
            working = asyncio.ensure_future(far.ingest(workflows, batch_size=size, connections=2))
            await asyncio.sleep(turn / kills * 0.02)
            proxy.reset()
            (outcome,) = await asyncio.gather(working, return_exceptions=True)
            assert isinstance(outcome, CommitUnknown | IngestReport), outcome
            stored = await store.exists([workflow.workflow_id for workflow in workflows])
            for start in range(0, len(workflows), size):
                batch = {workflow.workflow_id for workflow in workflows[start : start + size]}
                assert stored & batch in (set(), batch), "a batch is there in part"
            if isinstance(outcome, IngestReport):
                finished += 1
                assert outcome.inserted + outcome.unchanged == len(stored) == len(workflows)
    assert finished > kills / 2
